from dataclasses import replace

import pytest

from projops.engine import Engine
from projops.reconcile import reconciliation
from projops.reconcile.model import Scope
from projops.state import reconciliations


async def no_companies(engine: Engine, scope: Scope) -> None: ...


@pytest.mark.parametrize(("asked", "tolerated"), [((), 0), ((2,), 2)])
def test_drift_is_tolerated_where_it_is_asked_for_and_nowhere_else(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, asked: tuple[int, ...], tolerated: int
) -> None:
    # What a night tolerates is no matter of somebody who asks whether both sides are equal.
    monkeypatch.setattr(reconciliation, "_check_companies", no_companies)
    tonight = replace(engine, settings=replace(engine.settings, drift_rows=7))
    number = reconciliation.begin(tonight, "cli", "run", Scope(maps=("units",)), *asked)
    with engine.state.begin() as connection:
        found = reconciliations.get(connection, number)
    assert found is not None
    assert found.threshold == tolerated
