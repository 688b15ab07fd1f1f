from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from projops.reconcile.compare.pairing import DUPLICATE_KEY
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.judge.causes import SENTENCES, cause_of, look_of, swapped
from projops.reconcile.model import ColumnDifference, Kind, RowDifference
from projops.run import LegRef

LEG = LegRef("m", "dataverse_to_finance")
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def changed(key: str = "[1]", **cells: tuple[Any, Any]) -> RowDifference:
    columns = tuple(ColumnDifference(name, *values) for name, values in cells.items())
    return RowDifference(LEG, key, Kind.CHANGED, "g", key, "h", columns)


@pytest.mark.parametrize(
    ("expected", "found", "look"),
    [
        (NOON, NOON.replace(hour=14), "time_zone"),
        (NOON, NOON.replace(hour=17, minute=30), "time_zone"),
        (NOON, NOON.replace(month=11), None),
        (NOON.replace(microsecond=1), NOON, "time_of_day"),
        (NOON.replace(microsecond=5), NOON.replace(microsecond=6), "time_of_day"),
        (date(2026, 10, 5), date(2026, 10, 6), "time_zone"),
        (date(2026, 10, 5), date(2026, 12, 5), None),
        (Decimal("10.00"), Decimal("10.01"), "rounding"),
        (Decimal("10.00"), Decimal("-10.00"), "sign"),
        (Decimal("10.00"), Decimal("11.00"), None),
        (Decimal("0"), Decimal("0.0000000000000001"), "rounding"),
        ("Ada", "Ada ", "trailing_blanks"),
        ("Ada", "ada", "case"),
        ("Caf\u00e9", "Cafe\u0301", "unicode_form"),
        ("A long name", "A long", "truncated"),
        ("Ada", "Bob", None),
        ("Ada", None, "emptied"),
        (None, Decimal("1"), "filled"),
        (True, False, None),
        (3, 4, None),
    ],
)
def test_what_two_values_have_in_common(expected: object, found: object, look: str | None) -> None:
    assert look_of(ColumnDifference("c", expected, found)) == look


def test_one_look_of_all_columns_is_the_cause_and_mixed_ones_are_not() -> None:
    alike = changed(a=("Ada", "ada"), b=("Bob", "bob"))
    mixed = changed(a=("Ada", "ada"), b=("Bob", "Bob "))
    assert cause_of(alike, known=True, unchanged=True) == "case"
    assert cause_of(mixed, known=True, unchanged=True) == "edited_at_target"
    assert cause_of(mixed, known=True, unchanged=False) == "change_missed"
    assert cause_of(mixed, known=True, unchanged=False, by_lookup=True) == "parent_changed"
    assert cause_of(mixed, known=False, unchanged=False) == "never_compared"


@pytest.mark.parametrize(
    ("kind", "reason", "known", "cause"),
    [
        (Kind.MISSING, "", True, "deleted_at_target"),
        (Kind.MISSING, "", False, "never_moved"),
        (Kind.EXTRA, "", True, "deleted_at_source"),
        (Kind.EXTRA, "", False, "made_at_target"),
        (Kind.EXTRA, LEFT_FILTER, True, "left_filter"),
        (Kind.EXTRA, DUPLICATE_KEY, True, "duplicate_key"),
        (Kind.REJECTED, "too long", True, "rejected"),
    ],
)
def test_whole_rows(kind: Kind, reason: str, known: bool, cause: str) -> None:
    row = RowDifference(LEG, "[1]", kind, "g", None, None, reason=reason)
    assert cause_of(row, known=known, unchanged=True) == cause
    assert SENTENCES[cause].endswith(".")


def test_a_row_that_the_leg_never_creates_is_not_promised_by_a_repair() -> None:
    row = RowDifference(LEG, "[1]", Kind.MISSING, "g", None, None)
    for known in (True, False):
        assert cause_of(row, known=known, unchanged=True, creates=False) == "never_created"
    assert "repair" not in SENTENCES["never_created"]


def test_rows_that_hold_each_others_values_were_swapped() -> None:
    one, other = changed("[1]", a=("x", "y"), b=(1, 2)), changed("[2]", a=("y", "x"), b=(2, 1))
    third, same = changed("[3]", a=("y", "x")), changed("[4]", a=("x", "y"), b=(1, 2))
    assert swapped([third, one, same, other]) >= {1, 3} or swapped([third, one, same, other]) >= {2, 3}
    assert swapped([one, other]) == {0, 1}
    assert swapped([one, same, third]) == set()
