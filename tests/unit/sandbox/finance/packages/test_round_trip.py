"""What is written into a data file is read out of it: every type, every format."""

import io
import re
import string
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.finance.packages.files import SOURCE_FORMATS, file_columns, records_of, render
from sandbox.finance.packages.staging import plan_step, read_staged
from sandbox.schema.load import load_finance
from sandbox.schema.model import Column, ColumnType, DateTimeBehavior, Table
from sandbox.store.types import instant_text
from tests.unit.sandbox.finance.packages.desk import entity_file

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MOST_MONEY = Decimal("922337203685477.5807")
_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
_DAYS = st.datetimes(datetime(1900, 1, 1), datetime(2154, 12, 31), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)


def texts(column: Column) -> st.SearchStrategy[str]:
    longest = column.max_length or 20
    return st.one_of(_TEXT, st.text(string.printable, max_size=20)).map(lambda text: text[:longest])


def instants(column: Column) -> st.SearchStrategy[str]:
    day_only = column.behavior is DateTimeBehavior.DATE_ONLY
    return _DAYS.map(lambda at: instant_text(at.replace(hour=12, minute=0, second=0) if day_only else at))


def values(column: Column) -> st.SearchStrategy[Any]:
    of_type: Mapping[ColumnType, st.SearchStrategy[Any]] = {
        ColumnType.GUID: st.uuids().map(str),
        ColumnType.INTEGER: st.integers(-(2**31), 2**31 - 1),
        ColumnType.BIGINT: st.integers(-(2**63), 2**63 - 1),
        ColumnType.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False, places=6),
        ColumnType.MONEY: st.decimals(-_MOST_MONEY, _MOST_MONEY, places=4),
        ColumnType.DOUBLE: st.decimals(allow_nan=False, allow_infinity=False, places=10),
        ColumnType.BOOLEAN: st.booleans(),
        ColumnType.DATETIME: instants(column),
        ColumnType.ENUM: st.sampled_from([option.label for option in column.options] or [""]),
    }
    return of_type.get(column.type, texts(column))


@st.composite
def entities(draw: st.DrawFn) -> tuple[Table, list[dict[str, Any]]]:
    table = draw(st.sampled_from(list(load_finance().values())))
    row = st.fixed_dictionaries({column.name: values(column) for column in file_columns(table)})
    return table, draw(st.lists(row, min_size=1, max_size=3))


def read_back(table: Table, source_format: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("f.csv", b"".join(render(source_format, records_of(table, source_format, rows))))
    columns = [column.name.upper() for column in file_columns(table)]
    file = entity_file(table.label, columns, source_format=source_format, file="f.csv")
    with zipfile.ZipFile(content) as package:
        step = plan_step(package, 1, table, file, "uspm")
        staged = list(read_staged(package, step))
    assert [row.refusals for row in staged] == [()] * len(rows)
    return [{name: row.values[name] for name in rows[0]} for row in staged]


@pytest.mark.parametrize("source_format", SOURCE_FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(entities())
def test_every_entity_in_every_format(source_format: str, entity: tuple[Table, list[dict[str, Any]]]) -> None:
    table, rows = entity
    expected = rows
    if source_format == "XML-Element":  # which has no form for most control characters
        expected = [{name: _in_xml(value) for name, value in row.items()} for row in rows]
    assert read_back(table, source_format, rows) == expected


def _in_xml(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _NOT_IN_XML.sub("\ufffd", value)
