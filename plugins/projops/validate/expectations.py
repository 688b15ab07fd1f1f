"""What must hold of a source row: what map and schema imply, and what a person has written down.

`include/expectations/<map>.yaml`:

    map: projects
    expectations:
      - rule: project_dates
        leg: dataverse_to_finance
        expectation: expect_column_pair_values_a_to_be_greater_than_b
        columns: {column_A: msdyn_scheduledend, column_B: msdyn_scheduledstart}
        options: {or_equal: true, ignore_row_if: either_value_is_missing}
        where: msdyn_istemplate eq false
        message: The scheduled end lies before the start; correct the project's dates.

The name is Great Expectations' own; only those that judge single rows are allowed, since a row that
breaks one is set aside. `where` limits it to some rows, in the expression grammar.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from projops.mapping.catalog import Column, ColumnType
from projops.mapping.documents import Document, Located
from projops.mapping.expressions import columns_of, parse
from projops.mapping.findings import Finding
from projops.mapping.model import Direction, FieldRule, Leg, System, TableMap
from projops.mapping.operators import argument_problem
from projops.mapping.paths import key_paths, source_column, source_columns, target_column
from projops.mapping.value_maps import ValueMap

_OF_ROWS = re.compile(
    r"expect_(column_values|column_value_lengths|column_pair_values|multicolumn|compound_columns|select_column_values)_\w+"
)
_ENTRIES = frozenset({"rule", "leg", "expectation", "columns", "options", "where", "message"})


@dataclasses.dataclass(frozen=True, slots=True)
class RowExpectation:
    """One thing that must hold of each row.

    Attributes:
        rule: Id under which a row that breaks it is set aside.
        field: Source column, for messages.
        message: One sentence: what is wrong and what to do.
        type: Great Expectations' name of it.
        columns: Source columns by the argument that takes them.
        options: Its further arguments.
        where: Condition that limits it to some rows, or None.
    """

    rule: str
    field: str
    message: str
    type: str
    columns: Mapping[str, Any]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    where: str | None = None


def implied_expectations(
    table_map: TableMap, leg: Leg, value_maps: Mapping[str, ValueMap]
) -> tuple[RowExpectation, ...]:
    """What map and schema imply: keys and required fields present, lengths, values of value maps."""
    found = [
        each
        for path in key_paths(table_map, leg.direction.source)
        for each in _of_key(path, source_column(table_map, leg, path))
    ]
    for rule in leg.fields:
        if rule.source is not None:
            source = source_column(table_map, leg, rule.source)
            target = target_column(table_map, leg, rule.target)
            found.extend(_of_rule(leg, rule, source, target, value_maps))
    return tuple({(each.rule, each.field): each for each in found}.values())


def read_expectations(folder: Path, table_map: TableMap, leg: Leg) -> tuple[RowExpectation, ...]:
    """The written expectations of a leg; none where there is no file.

    Raises:
        MappingError: The file is wrong; the first finding says where.
    """
    path = folder / f"{table_map.map}.yaml"
    if not path.exists():
        return ()
    expectations, findings = check_expectations(
        path, path.relative_to(folder.parent.parent).as_posix(), table_map
    )
    if findings:
        raise findings[0].as_error()
    return expectations.get(leg.direction, ())


def check_expectations(
    path: Path, file: str, table_map: TableMap
) -> tuple[Mapping[Direction, tuple[RowExpectation, ...]], tuple[Finding, ...]]:
    """Read a file of expectations: them by direction, and everything that is wrong with it."""
    document = Document(path, file)
    root = document.section(document.root, "a file of expectations", frozenset({"map", "expectations"}))
    if root and document.text(root, "map", "the file") != path.stem:
        document.report(
            1, f"The file {path.name} is not named after its map.", "Make `map:` and the name the same."
        )
    entries = root["expectations"].value if "expectations" in root else ()
    found: dict[Direction, list[RowExpectation]] = {direction: [] for direction in table_map.legs}
    for entry in entries if isinstance(entries, tuple) else ():
        _read_entry(document, entry, table_map, found)
    return {direction: tuple(each) for direction, each in found.items()}, tuple(document.findings)


def lint_expectations(folder: Path, maps: Mapping[str, TableMap]) -> tuple[Finding, ...]:
    """Everything that is wrong in a folder of expectations, also files of no map."""
    findings: list[Finding] = []
    for path in sorted(folder.glob("*.yaml")):
        file = path.relative_to(folder.parent.parent).as_posix()
        if path.stem in maps:
            findings.extend(check_expectations(path, file, maps[path.stem])[1])
        else:
            message = f"There is no good map {path.stem} to have expectations."
            findings.append(Finding(file, 1, message, "Name the file after a map, or mend that map first."))
    return tuple(sorted(findings))


def _present(rule: str, path: str) -> RowExpectation:
    message = f"{path} must have a value and has none; fill it at the source."
    return RowExpectation(rule, path, message, "expect_column_values_to_not_be_null", {"column": path})


def _of_key(path: str, column: Column) -> Iterator[RowExpectation]:
    """A key is there, and more than blanks: both systems compare keys without them."""
    yield _present("key", path)
    if column.is_text:
        message = f"{path} holds nothing but blanks, which is no key; fill it at the source."
        columns, options = {"column": path}, {"regex": r"\S"}
        yield RowExpectation(
            "key_blank", path, message, "expect_column_values_to_match_regex", columns, options
        )


def _of_rule(
    leg: Leg, rule: FieldRule, source: Column, target: Column, value_maps: Mapping[str, ValueMap]
) -> Iterator[RowExpectation]:
    path = rule.source or ""
    operators = [step.operator for step in rule.steps]
    mandatory = rule.required or (leg.direction.target is System.DATAVERSE and target.required)
    if mandatory and not {"default", "value_map", "when"} & set(operators):
        yield _present("required", path)
    longest = target.length if target.is_text and source.is_text else None
    if not operators and longest is not None and (source.length or longest + 1) > longest:
        message = (
            f"{path} is longer than the {longest} characters of {rule.target}; shorten it at the source."
        )
        yield RowExpectation(
            "length",
            path,
            message,
            "expect_column_value_lengths_to_be_between",
            {"column": path},
            {"max_value": longest},
        )
    if operators[:1] == ["value_map"]:
        yield _in_value_map(leg, path, source, value_maps[rule.steps[0].argument])


def _in_value_map(leg: Leg, path: str, source: Column, value_map: ValueMap) -> RowExpectation:
    known = [value for value in value_map.towards(leg.direction) if value is not None]
    values: list[Any] = list(known)
    if source.type is ColumnType.BOOLEAN:
        values = [value == "true" for value in known]
    elif source.type in (ColumnType.OPTION, ColumnType.INTEGER, ColumnType.BIGINT):
        values = [int(value) for value in known]
    message = (
        f"{path} has a value without a line in the value map {value_map.name}; add one or correct the row."
    )
    return RowExpectation(
        "value_map",
        path,
        message,
        "expect_column_values_to_be_in_set",
        {"column": path},
        {"value_set": values},
    )


def _read_entry(
    document: Document, entry: Located, table_map: TableMap, found: dict[Direction, list[RowExpectation]]
) -> None:
    entries = document.section(entry, "an expectation", _ENTRIES)
    if not entries:
        return
    what = "the expectation"
    columns = document.section(entries.get("columns"), "columns")
    options = document.section(entries.get("options"), "options")
    where = document.text(entries, "where", what, "")
    expectation = RowExpectation(
        rule=document.text(entries, "rule", what),
        field=", ".join(_names(columns)),
        message=document.text(entries, "message", what),
        type=document.text(entries, "expectation", what),
        columns={name: _listed(located.plain()) for name, located in columns.items()},
        options={name: _listed(located.plain()) for name, located in options.items()},
        where=where or None,
    )
    _check_entry(document, entry, expectation)
    leg = document.text(entries, "leg", what)
    if leg not in {direction.value for direction in table_map.legs}:
        document.report(entry.line, f"{table_map.map} has no leg {leg}.", "Correct `leg:`.")
        return
    _check_columns(document, entry, expectation, table_map, Direction(leg))
    found[Direction(leg)].append(expectation)


def _check_entry(document: Document, entry: Located, expectation: RowExpectation) -> None:
    if not _OF_ROWS.fullmatch(expectation.type):
        document.report(
            entry.line,
            f"{expectation.type or 'No name'} does not judge single rows.",
            "Use an expectation on values of a column, a pair of columns or several columns.",
        )
    problem = argument_problem("when", expectation.where) if expectation.where else None
    if problem:
        document.report(entry.line, f"`where` of {expectation.rule} {problem}.", "Correct the condition.")


def _check_columns(
    document: Document, entry: Located, expectation: RowExpectation, table_map: TableMap, direction: Direction
) -> None:
    known = source_columns(table_map, table_map.legs[direction])
    names = [
        name
        for value in expectation.columns.values()
        for name in (value if isinstance(value, list) else [value])
    ]
    if expectation.where and not argument_problem("when", expectation.where):
        names += columns_of(parse(expectation.where))
    for name in dict.fromkeys(names):
        if name not in known:
            message = f"{expectation.rule} reads {name}, which the leg {direction} does not extract."
            document.report(entry.line, message, "Add it to `also:` in `extract:` of the leg.")


def _names(columns: Mapping[str, Located]) -> Iterator[str]:
    for located in columns.values():
        plain = located.plain()
        yield from plain if isinstance(plain, tuple) else (str(plain),)


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
