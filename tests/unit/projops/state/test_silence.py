"""A writer that freezes inside of a transaction, on Postgres: its locks are taken from it."""

import pytest
from sqlalchemy import text

from projops.errors import SystemUnavailableError
from projops.state import StateStore, store
from projops.state.leases import acquire
from tests.contract.process import postgres


def test_a_lease_is_not_locked_for_as_long_as_its_holder_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_LONGEST_SILENCE", "300ms")
    with postgres() as url:
        frozen, taker = StateStore(url), StateStore(url)
        frozen.prepare()
        lease = acquire(frozen, "units", "frozen", 0.0)  # over by now, whatever it takes
        with pytest.raises(SystemUnavailableError, match="idle-in-transaction"), frozen.begin() as connection:
            lease.confirm(connection)
            taken = acquire(taker, "units", "taker", 10.0)
            connection.execute(text("SELECT 1"))
        with taker.begin() as connection:
            taken.confirm(connection)
        frozen.close()
        taker.close()
