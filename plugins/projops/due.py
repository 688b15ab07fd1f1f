"""Which legs have something to move: what decides whether a run does any work at all."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from projops.backlog import look_at
from projops.engine import Engine, Systems
from projops.errors import ConfigurationError, ProjOpsError
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Leg, Strategy, System, TableMap
from projops.mapping.order import leg_order
from projops.mapping.paths import table_of
from projops.pausing import paused_maps, refuse_paused
from projops.request_budget import stretched
from projops.run import LegRef, RunRequest
from projops.signals.taking import take_signals
from projops.state import crosswalk, dead_letters, exports, in_flight, pauses
from projops.state.batches import LegState, leg_state
from projops.systems.looking import Pending

# Requests that one look at a leg costs: a delta page; a snapshot's pages; an export with its polls.
_REQUESTS = {Strategy.CHANGE_TRACKING: 1, Strategy.SNAPSHOT: 2, Strategy.INCREMENTAL_EXPORT: 6}
_DAY = timedelta(days=1)
SHORTEST_INTERVAL = timedelta(minutes=5)
# A leg ends some seconds after its run began; without slack every second run would come too early.
_SLACK = timedelta(minutes=1)


class Why(StrEnum):
    """Why a leg runs."""

    FULL = "a full read was asked for"
    COMPANIES = "some companies were asked for"
    FIRST = "first run"
    MAPPING = "the mapping has changed"
    SET_ASIDE = "rows that were set aside may go"
    IN_DOUBT = "what a writer that fell silent had on its way is in doubt"
    EXPORT = "an export has not been loaded yet"
    CHANGES = "the source has changes"
    RESUMED = "the map was resumed"
    ASKED = "a person asked"
    SIGNALLED = "the source has told of changes"
    RESTED = "it is time to look"


async def due_legs(engine: Engine, systems: Systems, area: str, request: RunRequest) -> list[LegRef]:
    """Give the legs of an area that have something to move, in the order in which they run.

    Maps that are paused are left out.

    Raises:
        ConfigurationError: The run asks for a map or a company that does not exist.
        MapPausedError: The run asks for a map by name that is paused.
    """
    maps = selected_maps(engine, area, request)
    if request.maps is not None:
        refuse_paused(engine, maps)
    still = paused_maps(engine, maps)
    maps = {name: each for name, each in maps.items() if name not in still}
    await check_companies(systems, request.companies)
    refs = [LegRef(name, direction.value) for name, direction in leg_order(maps)]
    interval = poll_interval(engine)
    taken = take_signals(engine, refs, request)
    found = await whys_due(engine, systems, refs, request, interval, taken)
    with engine.state.reading() as connection:
        awaited = dead_letters.awaited_maps(connection)
    return with_children(
        [ref for ref, due in zip(refs, found, strict=True) if due is not None], refs, awaited
    )


def with_children(
    due: Sequence[LegRef], refs: Sequence[LegRef], awaited: Mapping[tuple[str, str], AbstractSet[str]]
) -> list[LegRef]:
    """Add the legs whose parked rows wait for a map that moves in the same run, and theirs in turn.

    So a whole tree arrives in one run, in whatever order its rows came.

    Args:
        due: Legs that have something to move themselves.
        refs: All legs of the run, parents before children.
        awaited: Maps that parked rows wait for, by (map, leg).
    """
    moving: set[str] = set()
    chosen = []
    for ref in refs:
        if ref in due or awaited.get((ref.map, ref.leg), set()) & moving:
            chosen.append(ref)
            moving.add(ref.map)
    return chosen


def selected_maps(engine: Engine, area: str, request: RunRequest) -> Mapping[str, TableMap]:
    """Give the maps that a run is to move: those named, or all of the area that are enabled."""
    in_area = {name: each for name, each in engine.maps.items() if each.area == area}
    if request.maps is None:
        return {name: each for name, each in in_area.items() if each.enabled}
    broken = {each.map for each in engine.loaded.broken if each.area == area}
    unknown = [name for name in request.maps if name not in in_area and name not in broken]
    if unknown:
        raise ConfigurationError(
            f"Area {area} has no map {', '.join(unknown)}.",
            remedy=f"It has: {', '.join(sorted(in_area))}.",
            area=area,
        )
    return {name: in_area[name] for name in request.maps if name in in_area}


def poll_interval(engine: Engine) -> timedelta:
    """Give how often exports and snapshots may be asked for within the daily request budget.

    `timedelta.max` where today's is used up.
    """
    with engine.state.reading() as connection:
        companies = max(crosswalk.count(connection, "companies"), 1)
    legs = [(each, leg) for each in engine.maps.values() if each.enabled for leg in each.legs.values()]
    cost = sum(_cost(table_map, leg, companies) for table_map, leg in legs)
    return stretched(engine, max(SHORTEST_INTERVAL, _DAY * cost / engine.settings.request_budget))


def _cost(table_map: TableMap, leg: Leg, companies: int) -> int:
    striped = table_of(table_map, System.FINANCE).company_column is not None
    times = companies if leg.extract.strategy is Strategy.INCREMENTAL_EXPORT and striped else 1
    return _REQUESTS[leg.extract.strategy] * times


async def check_companies(systems: Systems, companies: Sequence[str] | None) -> None:
    """Insist that companies exist; None is all of them.

    Raises:
        ConfigurationError: One is no legal entity of Finance.
    """
    if not companies:
        return
    known = await systems.companies()
    unknown = [company for company in companies if company.lower() not in known]
    if unknown:
        raise ConfigurationError(
            f"Company {', '.join(unknown)} is no legal entity of Finance.",
            remedy=f"Ask for one or more of: {', '.join(known)}.",
        )


async def whys_due(
    engine: Engine,
    systems: Systems,
    refs: Sequence[LegRef],
    request: RunRequest,
    interval: timedelta,
    taken: AbstractSet[LegRef] = frozenset(),
) -> list[Why | None]:
    """Say of each leg why it has something to move, or None where it has nothing.

    Args:
        engine: The engine.
        systems: Both systems.
        refs: Legs.
        request: The run; one that signals woke asks only the sources that have signalled.
        interval: How long the legs rest whose source tells nothing before it is read.
        taken: Legs whose signals the run has taken.

    Raises:
        ProjOpsError: A source cannot be asked.
    """
    standing = _standing(engine, refs)
    known = [
        _known(engine, ref, each, request, interval, ref in taken)
        for ref, each in zip(refs, standing, strict=True)
    ]
    asked = [ref for ref, why in zip(refs, known, strict=True) if why is Why.CHANGES]
    found = await look_at(engine, systems.dataverse, asked)
    for each in found.values():
        if isinstance(each, ProjOpsError):
            raise each
    still = {ref for ref, each in found.items() if isinstance(each, Pending) and not each.changed}
    return [None if ref in still else why for ref, why in zip(refs, known, strict=True)]


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a leg stands in the state.

    Attributes:
        leg: Watermark, fingerprint, last commit.
        waiting: Whether rows that were set aside may go.
        in_doubt: Whether something is in flight whose writer has fallen silent.
        fetched: Whether an export has not been loaded yet.
        resumed_at: When its map was resumed last, UTC; None if it never was, or is paused.
    """

    leg: LegState
    waiting: bool
    in_doubt: bool
    fetched: bool
    resumed_at: datetime | None


def _standing(engine: Engine, refs: Sequence[LegRef]) -> list[_Standing]:
    """Read how legs stand, all at one moment; no writer waits for it."""
    pause = timedelta(seconds=engine.settings.lease_seconds)
    with engine.state.reading() as connection:
        resumed = pauses.resumed(connection)
        return [
            _Standing(
                leg_state(connection, ref.map, ref.leg),
                dead_letters.may_go(connection, ref.map, ref.leg),
                in_flight.is_due(connection, ref.map, ref.leg, pause),
                bool(exports.uncommitted(connection, ref.map, ref.leg)),
                resumed.get(ref.map),
            )
            for ref in refs
        ]


def _known(
    engine: Engine,
    ref: LegRef,
    standing: _Standing,
    request: RunRequest,
    interval: timedelta,
    is_signalled: bool,
) -> Why | None:
    """Say why a leg is due as far as the state knows; CHANGES where its source is to be asked."""
    table_map, leg = engine.leg(ref)
    meaning = fingerprint(table_map, leg, engine.loaded.value_maps)
    known = {
        Why.FULL: request.mode == "full",
        Why.COMPANIES: bool(request.companies),
        Why.FIRST: standing.leg.watermark is None,
        Why.MAPPING: standing.leg.fingerprint != meaning,
        Why.SET_ASIDE: standing.waiting,
        Why.IN_DOUBT: standing.in_doubt,
        Why.EXPORT: standing.fetched,
    }
    for why, holds in known.items():
        if holds:
            return why
    if leg.extract.strategy is Strategy.CHANGE_TRACKING:
        return Why.CHANGES if is_signalled or not request.signalled else None
    if is_signalled:
        return Why.SIGNALLED
    return _time_to_look(standing, request, interval)


def _time_to_look(standing: _Standing, request: RunRequest, interval: timedelta) -> Why | None:
    """Say why a leg is read whose source tells nothing before it is read."""
    if request.manual:
        return Why.ASKED
    resumed_at, committed_at = standing.resumed_at, standing.leg.committed_at
    if resumed_at is not None and (committed_at is None or committed_at < resumed_at):
        return Why.RESUMED
    return Why.RESTED if rested(standing.leg, interval, datetime.now(UTC)) else None


def rested(state: LegState, interval: timedelta, now: datetime) -> bool:
    """Say whether a leg has rested for as long as the request budget asks."""
    return state.committed_at is None or now - state.committed_at >= interval - _SLACK


def areas(engine: Engine) -> Sequence[str]:
    """Give the areas that have maps, sorted."""
    return sorted({each.area for each in engine.maps.values()})
