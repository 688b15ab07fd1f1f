"""Which dead letters somebody means, and that as a condition: what is acted on is what a page has shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, true

from projops.mapping.keys import fold
from projops.state.slices import slices
from projops.state.tables import IS_LIVE, LIVE, dead_letter

NOTHING_KNOWN = ""  # what a row waits for that names no map


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters somebody means: those of which all that is named here holds.

    Attributes:
        numbers: These; each must be live, and of the map and error if those are named too.
        map: Those of this map.
        error: Those of this error id or rule (`E6`, `mass_delete`); capitals are no matter.
        everything: All of them.
        leg: Those of this direction.
        status: Those in this status: open, parked or awaiting_approval.
        waits_for: Those that wait for a row of this map; "" for those that wait for none that is known.
        text: Those with this text in the key or the identity of their row.
        upto: Those of no higher number: none that came after somebody has looked.
    """

    numbers: tuple[int, ...] = ()
    map: str | None = None
    error: str | None = None
    everything: bool = False
    leg: str | None = None
    status: str | None = None
    waits_for: str | None = None
    text: str | None = None
    upto: int | None = None

    @property
    def says_which(self) -> bool:
        """Whether anything is named at all."""
        return self != Selection()


def conditions(wanted: Selection, statuses: Sequence[str] = LIVE) -> Iterator[ColumnElement[bool]]:
    """Give what holds of the entries: one condition, or several of which each is of some of the numbers.

    Args:
        wanted: The entries.
        statuses: Those live ones that the purpose is about.
    """
    # As a literal, so that SQLite sees that its indexes of live entries serve.
    of_status = true() if statuses is LIVE else dead_letter.c.status.in_(statuses)
    rule = and_(IS_LIVE, of_status, *_named(wanted))
    if not wanted.numbers:
        yield rule
        return
    for part in slices(sorted(set(wanted.numbers))):
        yield and_(dead_letter.c.id.in_(part), rule)


def _named(wanted: Selection) -> Iterator[ColumnElement[bool]]:
    for name in ("leg", "status"):
        if (value := getattr(wanted, name)) is not None:
            yield dead_letter.c[name] == value
    if wanted.map is not None:
        yield dead_letter.c.map == wanted.map.lower()
    if wanted.error is not None:
        yield dead_letter.c.rule.in_({wanted.error, wanted.error.upper(), wanted.error.lower()})
    if wanted.waits_for is not None:
        yield _waiting_for(wanted.waits_for)
    if wanted.upto is not None:
        yield dead_letter.c.id <= wanted.upto
    yield _with_text(wanted.text)


def _waiting_for(map_id: str) -> ColumnElement[bool]:
    column = dead_letter.c.waits_for_map
    return column.is_(None) if map_id == NOTHING_KNOWN else column == map_id


def _with_text(text: str | None) -> ColumnElement[bool]:
    if not text:
        return true()
    part = fold(text)
    columns = (dead_letter.c.key, dead_letter.c.source_id)
    return or_(*(column.contains(part, autoescape=True) for column in columns))
