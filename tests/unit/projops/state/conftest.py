from collections.abc import Iterator

import pytest

from projops.state import StateStore
from tests.contract.process import postgres


@pytest.fixture(scope="module")
def on_postgres() -> Iterator[StateStore]:
    """A state on Postgres, for what SQLite cannot show."""
    with postgres() as url:
        state = StateStore(url)
        state.prepare()
        yield state
        state.close()
