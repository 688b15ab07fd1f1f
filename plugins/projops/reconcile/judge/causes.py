"""Why a row has drifted, most likely: from the look of its values, and from what was last in step.

An id is for reports and trends; the sentence is for people and holds no values, which may be personal data.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from projops.reconcile.compare.pairing import DUPLICATE_KEY
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.model import ColumnDifference, Kind, RowDifference

_QUARTER = timedelta(minutes=15)
_WIDEST_ZONES = timedelta(hours=14)
_CENT = Decimal("0.01")

SENTENCES: Mapping[str, str] = {
    "edited_at_target": "Somebody or something changed the target, which this column does not belong to; "
    "a repair writes what the mapping says.",
    "change_missed": "The source changed, and no run has brought it: perhaps a restored backup, or a script "
    "that leaves no trace. A repair brings it.",
    "parent_changed": "A row that this one refers to has another value in the source by now, and nothing "
    "touched this row itself since; a repair brings it.",
    "never_moved": "No run has ever moved this row, and none is about to; a repair moves it.",
    "never_created": "The target does not have this row, and this leg never creates one (`write: "
    "update_only`): find out who deleted it there, or why it never came.",
    "never_compared": "Both sides have this row, and no run has ever compared them; a repair does.",
    "deleted_at_target": "The target had this row, and somebody deleted it there; a repair creates it again.",
    "deleted_at_source": "The source does not have this row any more, and no run has brought its delete; a "
    "repair does.",
    "left_filter": "The map moves the source row no longer, and no run has noticed; a repair does.",
    "made_at_target": "Somebody made this row at the target: the source has no such row, and none was sent. "
    "Find out who needs it; a repair deletes it only where the map passes deletes on.",
    "duplicate_key": "The target has another row with the same integration key, which is the one in step: "
    "find out which of the two is right, and delete the other one there.",
    "rejected": "The source row breaks a rule of the mapping, and no run has said so yet; a repair sets it "
    "aside with the rule that it breaks.",
    "time_zone": "The times differ by hours, as if one side had written local time for UTC; find out what "
    "wrote it, a repair writes what the mapping says.",
    "time_of_day": "The times differ within the second or day, as if one side had cut them; a repair writes "
    "what the mapping says.",
    "rounding": "The numbers differ by a cent or in their last digits, as if one side had rounded; a repair "
    "writes what the mapping says.",
    "sign": "The numbers differ by their sign alone; a repair writes what the mapping says.",
    "trailing_blanks": "The texts differ by blanks at their ends, as spreadsheets and imports leave them; a "
    "repair writes what the mapping says.",
    "case": "The texts differ in upper and lower case alone; a repair writes what the mapping says.",
    "unicode_form": "The texts look alike and differ in their Unicode form (composed or decomposed), as "
    "another import wrote it; a repair writes what the mapping says.",
    "truncated": "One text is the beginning of the other, as if one side had cut it; a repair writes what "
    "the mapping says.",
    "emptied": "The target is empty where the source has a value; a repair writes what the mapping says.",
    "filled": "The target has a value where the source has none; a repair writes what the mapping says.",
    "swapped": "This row holds what belongs to another, and that one what belongs to it: their values were "
    "exchanged at the target. A repair writes what the mapping says.",
}


def cause_of(
    row: RowDifference, *, known: bool, unchanged: bool, by_lookup: bool = False, creates: bool = True
) -> str:
    """Say why a row has drifted, most likely.

    Args:
        row: The difference.
        known: Whether the leg has had the pair in step before.
        unchanged: Whether the source is as it was then.
        by_lookup: Whether every column that differs is read through a lookup of the source.
        creates: Whether the leg creates rows at its target.
    """
    if row.kind is Kind.CHANGED:
        return _of_changed(row, known=known, unchanged=unchanged, by_lookup=by_lookup)
    if row.kind is Kind.EXTRA:
        return _of_extra(row, known)
    if row.kind is Kind.MISSING:
        return _of_missing(known) if creates else "never_created"
    return "rejected"


def look_of(column: ColumnDifference) -> str | None:
    """Say what two values have in common that tells how one became the other; None for nothing known."""
    expected, found = column.expected, column.found
    if expected is None or found is None:
        return "filled" if expected is None else "emptied"
    for kind, look in _LOOKS.items():
        if isinstance(expected, kind) and isinstance(found, kind):
            return look(expected, found)
    return None


def swapped(rows: Sequence[RowDifference]) -> set[int]:
    """Of changed rows, give the places of those that hold each other's values in all columns that differ."""
    places: dict[tuple[Any, ...], int] = {}
    exchanged: set[int] = set()
    for place, row in enumerate(rows):
        if row.kind is not Kind.CHANGED:
            continue
        names = tuple(column.column for column in row.columns)
        ours = tuple(column.expected for column in row.columns)
        theirs = tuple(column.found for column in row.columns)
        other = places.get((row.leg, names, theirs, ours))
        if other is not None:
            exchanged |= {place, other}
        places[row.leg, names, ours, theirs] = place
    return exchanged


def _of_changed(row: RowDifference, *, known: bool, unchanged: bool, by_lookup: bool) -> str:
    looks = {look_of(column) for column in row.columns}
    look = looks.pop() if len(looks) == 1 else None
    if look is not None:
        return look
    if unchanged:
        return "edited_at_target"
    if not known:
        return "never_compared"
    return "parent_changed" if by_lookup else "change_missed"


def _of_missing(known: bool) -> str:
    return "deleted_at_target" if known else "never_moved"


def _of_extra(row: RowDifference, known: bool) -> str:
    if row.reason == DUPLICATE_KEY:
        return "duplicate_key"
    if not known:
        return "made_at_target"
    return "left_filter" if row.reason == LEFT_FILTER else "deleted_at_source"


def _of_moments(expected: datetime, found: datetime) -> str | None:
    apart = abs(expected - found)
    if apart <= _WIDEST_ZONES and apart % _QUARTER == timedelta(0):
        return "time_zone"
    cut = min(expected, found)
    begins_second = cut == max(expected, found).replace(microsecond=0)
    return "time_of_day" if begins_second or apart < timedelta(seconds=1) else None


def _of_days(expected: date, found: date) -> str | None:
    return "time_zone" if abs(expected - found) == timedelta(days=1) else None


def _of_numbers(expected: Decimal | int, found: Decimal | int) -> str | None:
    ours, theirs = Decimal(expected), Decimal(found)
    if ours == -theirs:
        return "sign"
    return "rounding" if abs(ours - theirs) <= _CENT else None


def _of_texts(expected: str, found: str) -> str | None:
    if expected.rstrip() == found.rstrip():
        return "trailing_blanks"
    if unicodedata.normalize("NFC", expected) == unicodedata.normalize("NFC", found):
        return "unicode_form"
    if expected.casefold() == found.casefold():
        return "case"
    shorter, longer = sorted((expected, found), key=len)
    return "truncated" if shorter and longer.startswith(shorter) else None


def _nothing(expected: object, found: object) -> None:
    return None


# In order: a bool is an int, a moment is a date.
_LOOKS: Mapping[type, Callable[[Any, Any], str | None]] = {
    bool: _nothing,
    datetime: _of_moments,
    date: _of_days,
    Decimal: _of_numbers,
    str: _of_texts,
}
