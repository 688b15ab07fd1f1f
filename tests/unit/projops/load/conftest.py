from collections.abc import Iterator
from pathlib import Path

import pytest

from projops.state import StateStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.prepare()
    yield state
    state.close()
