"""Values of bodies, as columns store them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.values import stored_value
from sandbox.schema import load_dataverse
from sandbox.schema.model import Column, ColumnType, Option

TABLE = load_dataverse()["account"]


def store(kind: ColumnType, value: object, **details: object) -> object:
    return stored_value(TABLE, Column("x", kind, **details), value)  # type: ignore[arg-type]


@given(st.decimals(-(10**20), 10**20, places=4))
def test_decimals_keep_their_digits(value: Decimal) -> None:
    assert store(ColumnType.MONEY, value, scale=4) == value


@pytest.mark.parametrize(("sent", "kept"), [("1.23455", "1.2346"), ("-1.23455", "-1.2346"), ("7", "7.0000")])
def test_digits_beyond_the_scale_are_rounded_half_up(sent: str, kept: str) -> None:
    assert str(store(ColumnType.MONEY, Decimal(sent), scale=4)) == kept


@given(st.datetimes(datetime(1753, 1, 1), timezones=st.just(UTC)))
def test_instants_are_whole_seconds_of_utc(value: datetime) -> None:
    kept = store(ColumnType.DATETIME, value.isoformat())
    assert kept == value.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnType.STRING, 5),
        (ColumnType.INTEGER, True),
        (ColumnType.INTEGER, 2**31),
        (ColumnType.BIGINT, 2**63),
        (ColumnType.DECIMAL, "5"),
        (ColumnType.DECIMAL, Decimal("1E+400")),
        (ColumnType.DECIMAL, Decimal("1E-400")),
        (ColumnType.BOOLEAN, 1),
        (ColumnType.DATETIME, "2026-10-31"),
        (ColumnType.DATETIME, "2026-02-30T00:00:00Z"),
        (ColumnType.DATETIME, "1752-12-31T00:00:00Z"),
        (ColumnType.DATE, "2026-02-30"),
        (ColumnType.DATE, "2026-10-31T00:00:00Z"),
        (ColumnType.GUID, "x"),
        (ColumnType.OPTION, 3),
        (ColumnType.MULTI_OPTION, "1,x"),
        (ColumnType.LOOKUP, "x"),
    ],
)
def test_what_does_not_fit_is_refused(kind: ColumnType, value: object) -> None:
    with pytest.raises(ApiError) as refused:
        store(kind, value, options=(Option(1, "One"), Option(2, "Two")))
    assert refused.value.status == 400


@pytest.mark.parametrize("kind", [kind for kind in ColumnType if kind is not ColumnType.LOOKUP])
def test_null_empties_every_column(kind: ColumnType) -> None:
    assert store(kind, None) is None


def test_several_options_are_kept_in_order() -> None:
    options = (Option(1, "One"), Option(2, "Two"))
    assert store(ColumnType.MULTI_OPTION, "2,1,2", options=options) == "1,2"
