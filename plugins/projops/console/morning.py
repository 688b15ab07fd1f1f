"""What the page of all maps shows: how each stands, area by area, and what needs a person first. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from projops import counting
from projops.mapping.model import Direction, Strategy, TableMap
from projops.mapping.reader import BrokenMap
from projops.standing import LegStatus, Standing
from projops.state.dead_letters import AWAITING

if TYPE_CHECKING:
    from projops.console.runs import DagState  # with which Airflow's server comes

LATE = "late"
"""A state to filter by, beside those of `Standing`."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_PRESSING = (
    Standing.STOPPED,
    Standing.AWAITING_APPROVAL,
    Standing.BEHIND,
    Standing.NOT_RUNNING,
    Standing.PAUSED,
    Standing.CATCHING_UP,
    Standing.INITIAL_SYNC,
    Standing.RUNNING,
    Standing.IN_STEP,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One leg of a map.

    Attributes:
        status: How it stands.
        late: Whether it was last in step too long ago.
        tells: Whether its source tells of changes before they are read.
    """

    status: LegStatus
    late: bool
    tells: bool


@dataclass(frozen=True, slots=True)
class MapLines:
    """A map with its legs.

    Attributes:
        map: The map.
        legs: Its legs, in the order in which they run.
    """

    map: TableMap
    legs: tuple[Line, ...]

    def speaks_of(self, text: str) -> bool:
        """Whether a text, in lower case, stands in a name of it."""
        named = (self.map.map, self.map.title, self.map.dataverse, self.map.finance)
        return any(text in name.lower() for name in named)

    def is_in(self, state: str) -> bool:
        """Whether a leg of it stands so; "" is anyhow."""
        return not state or any(
            state == each.status.standing or (state == LATE and each.late) for each in self.legs
        )


@dataclass(frozen=True, slots=True)
class Section:
    """An area.

    Attributes:
        area: Area, which is the id of its DAG.
        dag: How the DAG stands in Airflow; None where Airflow does not know it.
        maps: Its maps that are on, and those that are off and have run, as they are asked for.
        off: Maps that are off and have never run.
        broken: Maps that cannot run.
    """

    area: str
    dag: "DagState | None"
    maps: tuple[MapLines, ...]
    off: tuple[TableMap, ...] = ()
    broken: tuple[BrokenMap, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Something that does not go on without a person.

    Attributes:
        tone: bad or warn.
        sentence: What it is.
        action: What the link says.
        page: Where it is mended, below the console's root.
    """

    tone: str
    sentence: str
    action: str
    page: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for.

    Attributes:
        area: Only this area; "" for all.
        text: Only maps that speak of it; "" for all.
        state: Only maps of which a leg stands so; "" for all.
        sort: A key of `SORTS`, after a "-" from the end; "" is the order in which maps run.
    """

    area: str = ""
    text: str = ""
    state: str = ""
    sort: str = ""


def sections(
    maps: Mapping[str, TableMap],
    broken: Sequence[BrokenMap],
    stands: Sequence[LegStatus],
    dags: Mapping[str, "DagState"],
    now: datetime,
) -> list[Section]:
    """Group how all legs stand by area and map.

    Args:
        maps: Maps that can run, by id.
        broken: Maps that cannot.
        stands: How each leg stands, in the order in which they run.
        dags: How each DAG stands, by id.
        now: The present, aware.
    """
    lines: dict[str, list[Line]] = {}
    for each in stands:
        if each.map in maps:
            lines.setdefault(each.map, []).append(
                Line(each, each.is_late(now), _tells(maps[each.map], each.leg))
            )
    areas = sorted({each.area for each in maps.values()} | {each.area for each in broken})
    return [
        Section(
            area,
            dags.get(area),
            tuple(
                MapLines(maps[name], tuple(legs)) for name, legs in lines.items() if maps[name].area == area
            ),
            tuple(each for name, each in sorted(maps.items()) if each.area == area and name not in lines),
            tuple(each for each in broken if each.area == area),
        )
        for area in areas
    ]


def chosen(found: Sequence[Section], asked: Asked) -> list[Section]:
    """Give what an address asks for; an area of which nothing is left is left out."""
    text = asked.text.strip().lower()
    picked = []
    for each in found:
        if asked.area not in ("", each.area):
            continue
        maps = [one for one in each.maps if one.speaks_of(text) and one.is_in(asked.state)]
        off = [] if asked.state else [one for one in each.off if MapLines(one, ()).speaks_of(text)]
        broken = [] if asked.state else [one for one in each.broken if text in one.map.lower()]
        if maps or off or broken:
            picked.append(Section(each.area, each.dag, _ordered(maps, asked.sort), tuple(off), tuple(broken)))
    return picked


def needs(found: Sequence[Section]) -> list[Need]:
    """Say what needs a person, the most pressing first."""
    kinds = (_broken, _resting, _stopped, _late, _failed, _awaiting, _drifted, _refused)
    return [need for kind in kinds for each in found for need in kind(each)]


def counts(found: Sequence[Section]) -> dict[str, int]:
    """Count the legs by how they stand, the most pressing first; none of a kind is left out."""
    stands = [line.status.standing for line in _lines(found)]
    return {each.value: stands.count(each) for each in _PRESSING if each in stands}


def _lines(found: Sequence[Section]) -> list[Line]:
    return [line for section in found for each in section.maps for line in each.legs]


def _tells(table_map: TableMap, leg: str) -> bool:
    known = table_map.legs.get(Direction(leg))
    return known is not None and known.extract.strategy is Strategy.CHANGE_TRACKING


def _ordered(maps: Sequence[MapLines], sort: str) -> tuple[MapLines, ...]:
    key = SORTS.get(sort.removeprefix("-"))
    if key is None:
        return tuple(maps)
    return tuple(sorted(maps, key=key, reverse=sort.startswith("-")))


def _aside(each: MapLines) -> int:
    return sum(sum(line.status.facts.aside.values()) for line in each.legs)


SORTS: Mapping[str, Callable[[MapLines], Any]] = {
    "map": lambda each: each.map.map,
    "state": lambda each: min((_PRESSING.index(line.status.standing) for line in each.legs), default=0),
    "fresh": lambda each: min((line.status.facts.fresh_at or _NEVER for line in each.legs), default=_NEVER),
    "backlog": lambda each: sum(line.status.facts.backlog for line in each.legs),
    "moved": lambda each: sum(line.status.facts.day.get("loaded", 0) for line in each.legs),
    "aside": _aside,
    "drift": lambda each: sum(line.status.proof.drift for line in each.legs if line.status.proof),
}
"""By what the list may be sorted."""


def _broken(found: Section) -> Iterator[Need]:
    for each in found.broken:
        yield Need(
            "bad",
            f"The mapping file of {each.map} is broken: it does not run.",
            "See what is wrong",
            f"maps/{each.map}",
        )


def _resting(found: Section) -> Iterator[Need]:
    if found.dag is not None and found.dag.paused:
        yield Need(
            "bad",
            f"The DAG {found.area} is paused in Airflow: nothing of it runs.",
            "See the area",
            _area(found.area),
        )


def _stopped(found: Section) -> Iterator[Need]:
    for line in _lines([found]):
        if line.status.standing is Standing.STOPPED:
            yield Need(
                "bad",
                f"{_named(line)} has stopped. {line.status.stopped_because}",
                "See its runs",
                f"maps/{line.status.map}",
            )


def _failed(found: Section) -> Iterator[Need]:
    for line in _lines([found]):
        if line.status.failed_because is not None and line.status.pause is None:
            yield Need(
                "warn",
                f"{_named(line)} has failed. {line.status.failed_because}",
                "See its runs",
                f"maps/{line.status.map}",
            )


def _late(found: Section) -> Iterator[Need]:
    late = sorted({line.status.map for line in _lines([found]) if line.late})
    if late and not (found.dag and found.dag.paused):
        yield Need("bad", f"Late: {', '.join(late)}.", "See them", f"{_area(found.area)}&state={LATE}")


def _awaiting(found: Section) -> Iterator[Need]:
    yield from _waiting(found, AWAITING, "{number} of {map} {wait} for approval.", "Approve or dismiss them")


def _refused(found: Section) -> Iterator[Need]:
    yield from _waiting(found, "open", "{number} of {map} could not be moved.", "See why")


def _waiting(found: Section, status: str, sentence: str, action: str) -> Iterator[Need]:
    for each in found.maps:
        number = sum(line.status.facts.aside.get(status, 0) for line in each.legs)
        if number:
            said = sentence.format(
                number=counting.rows(number),
                map=each.map.map,
                wait="waits" if number == 1 else "wait",
            )
            page = f"letters?{urlencode({'map': each.map.map, 'status': status})}"
            yield Need("warn", said, action, page)


def _drifted(found: Section) -> Iterator[Need]:
    for line in _lines([found]):
        proof = line.status.proof
        if proof is not None and proof.drift:
            rows = counting.rows(proof.drift)
            said = f"{rows} of {_named(line)} differed without a reason when it was last compared."
            yield Need("warn", said, "See the differences", f"reconciliations/{proof.reconciliation}")


def _named(line: Line) -> str:
    return f"{line.status.map} to {Direction(line.status.leg).target.value.capitalize()}"


def _area(area: str) -> str:
    return f"maps?{urlencode({'area': area})}"
