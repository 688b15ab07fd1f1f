"""Texts of data files as values of fields."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.errors import FinanceError
from sandbox.finance.packages.staging import read_text
from sandbox.schema.load import load_finance
from sandbox.schema.model import Column, ColumnType

COLUMNS = {column.type: column for table in load_finance().values() for column in table.columns.values()}
NO_YES = load_finance()["CustomersV3"].columns["OnHoldStatus"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (ColumnType.DECIMAL, "922337203685477.9999", Decimal("922337203685477.9999")),
        (ColumnType.DECIMAL, " -1.50 ", Decimal("-1.50")),
        (ColumnType.DECIMAL, "", Decimal(0)),
        (ColumnType.DECIMAL, "1e3", Decimal(1000)),
        (ColumnType.INTEGER, "+7", 7),
        (ColumnType.INTEGER, "", 0),
        (ColumnType.BIGINT, "-9223372036854775808", -(2**63)),
        (ColumnType.STRING, "  x ", "  x "),
        (ColumnType.STRING, "", ""),
    ],
)
def test_texts_that_are_values(kind: ColumnType, text: str, value: Any) -> None:
    assert read_text(COLUMNS[kind], text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ColumnType.DECIMAL, "1,5"),
        (ColumnType.DECIMAL, "NaN"),
        (ColumnType.DECIMAL, "Infinity"),
        (ColumnType.DECIMAL, "1e999"),
        (ColumnType.DECIMAL, "9" * 101),
        (ColumnType.DECIMAL, "١"),
        (ColumnType.DECIMAL, "1_000"),
        (ColumnType.INTEGER, "1.5"),
        (ColumnType.INTEGER, "2147483648"),
        (ColumnType.INTEGER, "9" * 5_000),
        (ColumnType.DATETIME, "31.10.2026"),
        (ColumnType.DATETIME, "2026-02-30"),
        (ColumnType.STRING, "a\x00b"),
    ],
)
def test_texts_that_are_none(kind: ColumnType, text: str) -> None:
    with pytest.raises(FinanceError):
        read_text(COLUMNS[kind], text)


@pytest.mark.parametrize("text", ["2026-10-31 12:00:00", "2026-10-31T12:00:00Z", "2026-10-31T13:00:00+01:00"])
def test_time_stamps_are_utc_where_they_name_no_zone(text: str) -> None:
    column = Column("At", ColumnType.DATETIME)
    assert read_text(column, text).isoformat() == "2026-10-31T12:00:00+00:00"


def test_enums_by_symbol_in_any_case_or_by_number() -> None:
    symbols = {str(option.value): option.label for option in NO_YES.options}
    for number, symbol in symbols.items():
        assert {read_text(NO_YES, text) for text in (number, symbol, symbol.upper())} == {symbol}
    with pytest.raises(FinanceError, match="Perhaps"):
        read_text(NO_YES, "Perhaps")
