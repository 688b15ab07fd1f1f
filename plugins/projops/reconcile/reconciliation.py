"""A reconciliation, as its DAG and the command line run it.

    begin -> for each map: read both sides -> compare -> judge -> settle -> record -> finish

It writes nothing to either system and holds no lease: maps may be moved meanwhile. Run again for a map,
it replaces what it has found of it; if that fails, the map counts as not compared.
"""

import asyncio
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from projops.due import check_companies
from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.mapping.model import Direction, TableMap
from projops.reconcile.compare.comparing import Comparison, compare
from projops.reconcile.compare.reading import Pair, read_map
from projops.reconcile.judge.gathering import Outlook, ground_of, outlooks
from projops.reconcile.judge.ground import Ground
from projops.reconcile.judge.judging import judge_all
from projops.reconcile.judge.pending import places_of
from projops.reconcile.judge.settling import Settler
from projops.reconcile.judge.shared_columns import note_counterparts
from projops.reconcile.model import Finding, Kind, LegResult, RowDifference, Scope, Verdict
from projops.reconcile.places import path_of_map
from projops.reconcile.record import Record, recording
from projops.run import LegRef
from projops.state import differences, reconciliations
from projops.state.batches import leg_state
from projops.state.differences import Seen
from projops.state.reconciliations import Reconciliation


@dataclass(frozen=True, slots=True)
class MapResult:
    """What the reconciliation of a map came to: counts alone, small enough for XCom.

    Attributes:
        reconciliation: Its number.
        map: Map id.
        legs: Of each leg its `leg`, `expected_rows`, `found_rows`, `matched`, and the rows of each verdict.
        uri: Parquet file of the differences.
    """

    reconciliation: int
    map: str
    legs: tuple[Mapping[str, Any], ...]
    uri: str

    @property
    def drift(self) -> int:
        """Rows that nothing explains."""
        return sum(leg[Verdict.DRIFT.value] for leg in self.legs)

    def as_json(self) -> dict[str, Any]:
        """Give the value as plain values."""
        return asdict(self)


def begin(engine: Engine, dag_id: str, run_id: str, scope: Scope, threshold: int = 0) -> int:
    """Begin the reconciliation of a run, or find it again; give its number.

    Args:
        engine: The engine.
        dag_id: DAG, or "cli".
        run_id: Its run.
        scope: What is asked.
        threshold: Rows of drift that are tolerated.

    Raises:
        ConfigurationError: There is no such map or company, or the days are in the wrong order.
        MappingError: A map that is named is broken.
    """
    for name in scope.maps or ():
        engine.map(name)
    if scope.since is not None and scope.until is not None and scope.since > scope.until:
        raise ConfigurationError(
            f"The days from {scope.since} until {scope.until} are none.", remedy="Give the earlier day first."
        )
    asyncio.run(_check_companies(engine, scope))
    with engine.state.begin() as connection:
        return reconciliations.begin(connection, dag_id, run_id, scope, threshold)


def maps_of(engine: Engine, scope: Scope) -> tuple[str, ...]:
    """Give the maps that a reconciliation compares: those named, or all that are enabled, also if paused."""
    if scope.maps is not None:
        return tuple(dict.fromkeys(scope.maps))
    return tuple(sorted(each.map for each in engine.maps.values() if each.enabled))


def reconcile_map(engine: Engine, reconciliation: int, map_id: str, scope: Scope) -> MapResult:
    """Compare both sides of a map, judge what differs, and write it down.

    Args:
        engine: The engine.
        reconciliation: Number that `begin` gave.
        map_id: The map.
        scope: What was asked of `begin`.

    Raises:
        MappingError: The map is broken.
        ProjOpsError: A system cannot be read.
    """
    table_map = engine.map(map_id)
    _forget(engine, reconciliation, map_id)
    with (
        tempfile.TemporaryDirectory(prefix="projops-reconcile-") as folder,
        recording(engine.staging, reconciliation, map_id) as record,
    ):
        results = asyncio.run(_compare_map(engine, table_map, reconciliation, scope, Path(folder), record))
    with engine.state.begin() as connection:
        reconciliations.record_legs(connection, reconciliation, map_id, results)
        differences.replace_of_map(connection, reconciliation, map_id, record.kept)
    uri = engine.staging.uri_below(path_of_map(reconciliation, map_id))
    return MapResult(reconciliation, map_id, tuple(_counts(result) for result, _ in results), uri)


def _forget(engine: Engine, reconciliation: int, map_id: str) -> None:
    """Forget what an earlier try has found of a map: if this one fails, the map was not compared."""
    with engine.state.begin() as connection:
        reconciliations.record_legs(connection, reconciliation, map_id, ())
        differences.replace_of_map(connection, reconciliation, map_id, ())
    engine.staging.remove(engine.staging.uri_below(path_of_map(reconciliation, map_id)))


def finish(engine: Engine, reconciliation: int) -> Reconciliation:
    """Sum a reconciliation up. It fails nobody: whoever asked decides by `status`."""
    with engine.state.begin() as connection:
        begun = reconciliations.get(connection, reconciliation)
        if begun is None:
            raise ConfigurationError(
                f"There is no reconciliation {reconciliation}.", remedy="Begin one: `projops reconcile`."
            )
        return reconciliations.finish(connection, reconciliation, _expected(engine, begun.scope))


def not_compared(
    engine: Engine, reconciliation: Reconciliation, compared: Collection[LegRef]
) -> tuple[str, ...]:
    """Name the maps that were asked for and of which a leg was not compared.

    Args:
        engine: Maps.
        reconciliation: What was asked.
        compared: Legs that were.
    """
    missing = (ref.map for ref in _expected(engine, reconciliation.scope) if ref not in set(compared))
    return tuple(dict.fromkeys(missing))


def _expected(engine: Engine, scope: Scope) -> list[LegRef]:
    """Give the legs that are to be compared; one that is broken or gone stands there without any."""
    broken = {each.map for each in engine.loaded.broken}
    wanted = [*maps_of(engine, scope), *(sorted(broken) if scope.maps is None else ())]
    return [LegRef(name, leg) for name in wanted for leg in _legs(engine, name)]


def _legs(engine: Engine, map_id: str) -> Sequence[str]:
    table_map = engine.maps.get(map_id)
    return ("",) if table_map is None else [each.value for each in table_map.legs]


async def _check_companies(engine: Engine, scope: Scope) -> None:
    async with engine.systems() as systems:
        await check_companies(systems, scope.companies)


async def _compare_map(
    engine: Engine, table_map: TableMap, reconciliation: int, scope: Scope, folder: Path, record: Record
) -> list[tuple[LegResult, datetime]]:
    async with engine.systems() as systems:
        began, places = time.monotonic(), places_of(engine, table_map)
        pairs = await read_map(engine, systems, table_map, scope, folder)
        views = await outlooks(engine, systems, table_map, reconciliation, places)
        if table_map.shared_fields():
            _note_counterparts(table_map, pairs, scope, views)
        results = []
        for direction, leg in table_map.legs.items():
            settler = Settler(engine, systems, table_map, leg, reconciliation)
            result = await _compare_leg(settler, views[direction], pairs[direction], scope, record, began)
            results.append((result, pairs[direction].read_at))
            began = time.monotonic()
    return results


def _note_counterparts(
    table_map: TableMap, pairs: Mapping[Direction, Pair], scope: Scope, views: Mapping[Direction, Outlook]
) -> None:
    """Note for each leg what the other one sees of the columns that both keep in step."""
    for direction, leg in table_map.legs.items():
        noted = views[direction.opposite].counterparts
        for rows in compare(table_map, leg, pairs[direction], scope):
            note_counterparts(table_map, leg, rows, noted)


async def _compare_leg(
    settler: Settler, outlook: Outlook, pair: Pair, scope: Scope, record: Record, began: float
) -> LegResult:
    comparison = compare(settler.table_map, settler.leg, pair, scope)
    equal = 0
    for rows in comparison:
        ground = ground_of(outlook, rows)
        found = judge_all(rows, ground)
        explained = [each for each in found if each.verdict is not Verdict.DRIFT]
        open_ = [each.difference for each in found if each.verdict is Verdict.DRIFT]
        record.add([_seen(each, ground) for each in explained])
        settled = await settler.settle(open_)
        record.add([_seen(finding, by) for finding, by in settled])
        equal += _are_equal_by_now(open_, [finding for finding, _ in settled])
    return _result(settler, comparison, equal, record, time.monotonic() - began)


def _are_equal_by_now(before: Sequence[RowDifference], after: Sequence[Finding]) -> int:
    """Count the expected rows that differed when they were read, and do not any more."""
    ours = (Kind.CHANGED, Kind.MISSING)
    left = {each.difference.key for each in after}
    return sum(row.kind in ours and row.key not in left for row in before)


def _seen(finding: Finding, ground: Ground) -> Seen:
    return Seen(finding, ground.first_seen(finding.difference) or datetime.now(UTC))


def _result(
    settler: Settler, comparison: Comparison, equal: int, record: Record, seconds: float
) -> LegResult:
    table_map, ref = settler.table_map, comparison.terms.ref
    with settler.engine.state.begin() as connection:
        batch = leg_state(connection, ref.map, ref.leg).batch
    return LegResult(
        leg=ref,
        mapping_version=table_map.version,
        batch=batch,
        expected_rows=comparison.expected_rows,
        found_rows=comparison.found_rows,
        matched=comparison.matched + equal,
        verdicts=record.verdicts.get(ref, {}),
        totals=comparison.totals,
        seconds=seconds,
    )


def _counts(result: LegResult) -> dict[str, Any]:
    rows = {name: getattr(result, name) for name in ("expected_rows", "found_rows", "matched")}
    verdicts = {verdict.value: result.verdicts.get(verdict, 0) for verdict in Verdict}
    return {"leg": result.leg.leg, **rows, **verdicts}
