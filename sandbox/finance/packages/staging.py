"""From a data file to staging: which field each column fills, and its text as a value.

What cannot be a value is an error of its row, and the row goes no further.
"""

import re
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.finance.errors import FinanceError
from sandbox.finance.packages.files import SOURCE_FORMATS, XML_ELEMENT, file_columns
from sandbox.finance.packages.manifest import EntityFile
from sandbox.finance.packages.reading import DataFileError, Texts, read_header, read_texts
from sandbox.finance.packages.unpacking import PackageError, is_plain_name
from sandbox.finance.values import read_value
from sandbox.schema.model import Column, ColumnType, Table
from sandbox.store.types import instant_text

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_TRUTH: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LONGEST_NUMBER = 100
_TEXTS = (ColumnType.STRING, ColumnType.MEMO)


@dataclass(frozen=True, slots=True)
class Step:
    """One entity of an import, ready to be read.

    Attributes:
        position: Its place among the entities of the package, from 1.
        table: The entity set.
        file: What the manifest says of it.
        columns: The column of each field, by its name in the data file.
        company: Lower-case company that its rows belong to.
    """

    position: int
    table: Table
    file: EntityFile
    columns: Mapping[str, Column]
    company: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row of a data file does not become a row of the entity.

    Attributes:
        field: The field that it is about, "" where it is about the row.
        message: The sentence.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row of a data file.

    Attributes:
        number: In the file, from 1.
        texts: As it was sent.
        values: Its values by property name, as they are kept; empty where it was refused.
        refusals: What is wrong with it.
    """

    number: int
    texts: Texts
    values: Mapping[str, Any]
    refusals: tuple[Refusal, ...] = ()


def plan_step(package: zipfile.ZipFile, position: int, table: Table, file: EntityFile, company: str) -> Step:
    """Check the mapping of an entity against its fields and its data file.

    A file that is not in its encoding is let through: staging says so, as an error of the entity [L].

    Raises:
        PackageError: The format is not known, the file is missing, or the mapping is incorrect.
    """
    if file.source_format not in SOURCE_FORMATS:
        known = ", ".join(SOURCE_FORMATS)
        raise PackageError(
            f"The source data format '{file.source_format}' of entity {file.entity} is not one of {known}."
        )
    if not is_plain_name(file.file) or file.file not in package.namelist():
        raise PackageError(
            f"The data file '{file.file[:100]}' of entity {file.entity} is not in the package."
        )
    fields = {column.name.upper(): column for column in file_columns(table)}
    columns: dict[str, Column] = {}
    for field, source in file.fields:
        if field.upper() not in fields:
            raise _incorrect(file, field)
        columns[source.upper()] = fields[field.upper()]
    if file.source_format != XML_ELEMENT:
        _check_header(package, file, columns)
    return Step(position, table, file, columns, company)


def _check_header(package: zipfile.ZipFile, file: EntityFile, columns: Iterable[str]) -> None:
    """Lines that end without CR LF put the columns out of place, which AX tells by a random id [L]."""
    try:
        header = read_header(package, file.file, file.source_format)
    except DataFileError:
        return
    if not header.columns:
        return
    missing = [column for column in columns if column not in header.columns]
    if not header.ended or missing:
        raise _incorrect(file, f"{{{str(uuid.uuid4()).upper()}}}" if not header.ended else missing[0])


def _incorrect(file: EntityFile, field: str) -> PackageError:
    return PackageError(f"The mapping is incorrect for entity {file.entity} and field {field[:100]}.")


def read_staged(package: zipfile.ZipFile, step: Step) -> Iterator[StagedRow]:
    """Yield the rows of an entity's data file; without a field mapping it has none [L].

    Raises:
        DataFileError: The file cannot be read, from the row on which is asked for.
    """
    if not step.columns:
        return
    for number, texts in enumerate(read_texts(package, step.file.file, step.file.source_format), start=1):
        yield _staged(step, number, texts)


def _staged(step: Step, number: int, texts: Texts) -> StagedRow:
    values: dict[str, Any] = {}
    refusals = []
    for name, column in step.columns.items():
        if name in texts:
            try:
                value = read_text(column, texts[name])
                values[column.name] = instant_text(value) if isinstance(value, datetime) else value
            except FinanceError as error:
                refusals.append(Refusal(column.name.upper(), error.message))
    if step.table.company_column == "dataAreaId":
        values["dataAreaId"] = step.company
    return StagedRow(number, texts, {} if refusals else values, tuple(refusals))


def read_text(column: Column, text: str) -> Any:
    """Read the text of a data file as the value that is kept; no text is the type's blank.

    Numbers have a point, time stamps are ISO 8601 and UTC where they name no zone, enums are symbols, in
    any case, or numbers [?].

    Raises:
        FinanceError: It is no value of the column.
    """
    if not text and column.type not in _TEXTS:
        return read_value(column, None)
    reader = _READERS.get(column.type)
    return read_value(column, text if reader is None else reader(column, text.strip()))


def _number(_column: Column, text: str) -> object:
    return Decimal(text) if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) else text


def _whole(_column: Column, text: str) -> object:
    return int(text) if len(text) < 30 and _WHOLE.fullmatch(text) else text


def _truth(_column: Column, text: str) -> object:
    return _TRUTH.get(text.lower(), text)


def _symbol(column: Column, text: str) -> object:
    by_text = {option.label.lower(): option.label for option in column.options}
    by_text |= {str(option.value): option.label for option in column.options}
    return by_text.get(text.lower(), text)


def _stripped(_column: Column, text: str) -> object:
    return text


_READERS: Mapping[ColumnType, Callable[[Column, str], object]] = {
    ColumnType.INTEGER: _whole,
    ColumnType.BIGINT: _whole,
    ColumnType.DECIMAL: _number,
    ColumnType.MONEY: _number,
    ColumnType.DOUBLE: _number,
    ColumnType.BOOLEAN: _truth,
    ColumnType.ENUM: _symbol,
    ColumnType.DATETIME: _stripped,
    ColumnType.DATE: _stripped,
    ColumnType.GUID: _stripped,
}


def record_id(table: Table, texts: Texts) -> str:
    """Name a row of a data file by its key, as it was sent: `CustomerAccount='A1'` [?]."""
    names = [name for name in table.keys[0] if name != "dataAreaId"]
    parts = ((name, texts.get(name.upper(), "").replace("'", "''")) for name in names)
    return ",".join(f"{name}='{text}'" for name, text in parts)
