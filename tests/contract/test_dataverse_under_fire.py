"""A reader that follows delta links ends with exactly the table, while writers create, update and delete.

The whole minute with eight writers is `make fire`; this is its short share.
"""

import httpx
import pytest

from tests.contract.conftest import TOKEN
from tests.fire.fight import WRITERS, fight

MOST_SECONDS, REQUESTS = 60, 12


@pytest.mark.protocol("tracking: baseline", "D")
@pytest.mark.protocol("tracking: changed rows", "D")
@pytest.mark.protocol("tracking: deleted rows", "D")
def test_change_tracking_under_fire(dataverse: httpx.Client) -> None:
    fought = fight(str(dataverse.base_url), TOKEN, MOST_SECONDS, most=REQUESTS)
    assert not fought.differences, fought.differences[:5]
    assert fought.left == 0
    assert fought.writes >= WRITERS * REQUESTS
    assert all(reader.rounds > 2 for reader in fought.readers)
