"""What a person has written down about a map's source rows: `include/expectations/<map>.yaml`.

    map: projects
    breaker:                         # above which the leg stops; what is left out, the settings say
      share: 0.1
      rows: 20
      rules:
        project_dates: {share: 0, rows: 5}
    expectations:
      - rule: project_dates
        leg: dataverse_to_finance
        expectation: expect_column_pair_values_a_to_be_greater_than_b
        columns: {column_A: msdyn_scheduledend, column_B: msdyn_scheduledstart}
        options: {or_equal: true, ignore_row_if: either_value_is_missing}
        where: msdyn_istemplate eq false
        severity: warning            # error if left out: the row is set aside
        message: The scheduled end lies before the start; correct the project's dates.

The name is Great Expectations' own; only those that judge single rows are allowed, since a row that
breaks one is set aside. `where` limits it to some rows, in the expression grammar. Bounds of days are
written as "2020-01-31".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from projops.mapping.catalog import Column, ColumnType
from projops.mapping.documents import Document, Located
from projops.mapping.expressions import columns_of, parse
from projops.mapping.findings import Finding
from projops.mapping.model import Direction, Leg, TableMap
from projops.mapping.operators import argument_problem
from projops.mapping.paths import source_column, source_columns
from projops.validate.breaker import Breaker, read_breaker
from projops.validate.expectations import RowExpectation, Severity
from projops.validate.implied import IMPLIED_RULES

_OF_ROWS = re.compile(
    r"expect_(column_values|column_value_lengths|column_pair_values|multicolumn|compound_columns|select_column_values)_\w+"
)
_ENTRIES = frozenset({"rule", "leg", "expectation", "columns", "options", "where", "severity", "message"})
_BOUNDS = ("min_value", "max_value")
_MOST_EXACT = 2**53  # Great Expectations compares bounds as floats: whole numbers up to here are exact


@dataclass(frozen=True, slots=True)
class Written:
    """What a file says of a map.

    Attributes:
        expectations: By direction, in the order written.
        breaker: What the map tolerates.
    """

    expectations: Mapping[Direction, tuple[RowExpectation, ...]]
    breaker: Breaker = Breaker()


def read_written(folder: Path, table_map: TableMap) -> Written:
    """What is written down about a map; nothing where there is no file.

    Raises:
        MappingError: The file is wrong; the first finding says where.
    """
    path = folder / f"{table_map.map}.yaml"
    if not path.exists():
        return Written({})
    file = path.relative_to(folder.parent.parent).as_posix()
    written, findings = check_expectations(path, file, table_map)
    if findings:
        raise findings[0].as_error()
    return written


def read_expectations(folder: Path, table_map: TableMap, leg: Leg) -> tuple[RowExpectation, ...]:
    """The written expectations of a leg.

    Raises:
        MappingError: The file is wrong; the first finding says where.
    """
    return read_written(folder, table_map).expectations.get(leg.direction, ())


def check_expectations(path: Path, file: str, table_map: TableMap) -> tuple[Written, tuple[Finding, ...]]:
    """Read a file of expectations: what it says, and everything that is wrong with it."""
    document = Document(path, file)
    what = "a file of expectations"
    root = document.section(document.root, what, frozenset({"map", "breaker", "expectations"}))
    if root and document.text(root, "map", "the file") != path.stem:
        document.report(
            1, f"The file {path.name} is not named after its map.", "Make `map:` and the name the same."
        )
    entries = root["expectations"].value if "expectations" in root else ()
    found: dict[Direction, list[RowExpectation]] = {direction: [] for direction in table_map.legs}
    for entry in entries if isinstance(entries, tuple) else ():
        _read_entry(document, entry, table_map, found)
    expectations = {direction: tuple(each) for direction, each in found.items()}
    rules = {each.rule for several in expectations.values() for each in several}
    breaker = read_breaker(document, root.get("breaker"), rules | IMPLIED_RULES)
    return Written(expectations, breaker), tuple(document.findings)


def lint_expectations(folder: Path, maps: Mapping[str, TableMap]) -> tuple[Finding, ...]:
    """Everything that is wrong in a folder of expectations, also files of no map.

    Great Expectations itself is asked whether it knows each name and its options, which takes its import.
    """
    findings: list[Finding] = []
    for path in sorted(folder.glob("*.yaml")):
        file = path.relative_to(folder.parent.parent).as_posix()
        if path.stem in maps:
            written, found = check_expectations(path, file, maps[path.stem])
            findings += found or _unknown(written)
        else:
            message = f"There is no good map {path.stem} to have expectations."
            findings.append(Finding(file, 1, message, "Name the file after a map, or mend that map first."))
    return tuple(sorted(findings))


def _unknown(written: Written) -> Iterator[Finding]:
    """Give the expectations that Great Expectations does not take as they stand."""
    from projops.validate.suites import REMEDY, problem

    for several in written.expectations.values():
        for each in several:
            if (what := problem(each)) is not None:
                yield Finding(each.file, each.line, what, REMEDY)


def _read_entry(
    document: Document, entry: Located, table_map: TableMap, found: dict[Direction, list[RowExpectation]]
) -> None:
    entries = document.section(entry, "an expectation", _ENTRIES)
    if not entries:
        return
    leg = document.text(entries, "leg", "the expectation")
    if leg not in {direction.value for direction in table_map.legs}:
        document.report(entry.line, f"{table_map.map} has no leg {leg}.", "Correct `leg:`.")
        return
    direction = Direction(leg)
    expectation = _expectation(document, entry, entries)
    _check_entry(document, entry, expectation)
    kinds = _check_columns(document, entry, expectation, table_map, direction)
    options = document.section(entries.get("options"), "options")
    found[direction].append(_with_bounds(document, expectation, options, kinds))


def _expectation(document: Document, entry: Located, entries: Mapping[Any, Located]) -> RowExpectation:
    what = "the expectation"
    columns = document.section(entries.get("columns"), "columns")
    options = document.section(entries.get("options"), "options")
    severity = document.text(entries, "severity", what, Severity.ERROR.value)
    if severity not in set(Severity):
        document.report(
            entries["severity"].line, f"There is no severity {severity}.", "Write error or warning."
        )
        severity = Severity.ERROR
    return RowExpectation(
        rule=document.text(entries, "rule", what),
        field=", ".join(_names(columns)),
        message=document.text(entries, "message", what),
        type=document.text(entries, "expectation", what),
        columns={name: _listed(located.plain()) for name, located in columns.items()},
        options={name: _listed(located.plain()) for name, located in options.items()},
        where=document.text(entries, "where", what, "") or None,
        severity=Severity(severity),
        file=document.file,
        line=entry.line,
    )


def _check_entry(document: Document, entry: Located, expectation: RowExpectation) -> None:
    if not _OF_ROWS.fullmatch(expectation.type):
        document.report(
            entry.line,
            f"{expectation.type or 'No name'} does not judge single rows.",
            "Use an expectation on values of a column, a pair of columns or several columns.",
        )
    if expectation.rule in IMPLIED_RULES:
        document.report(
            entry.line,
            f"The rule {expectation.rule} is one that map and schema imply.",
            "Give it another name.",
        )
    problem = argument_problem("when", expectation.where) if expectation.where else None
    if problem:
        document.report(entry.line, f"`where` of {expectation.rule} {problem}.", "Correct the condition.")


def _check_columns(
    document: Document, entry: Located, expectation: RowExpectation, table_map: TableMap, direction: Direction
) -> list[Column]:
    """Report columns that the leg does not extract; give those that the expectation looks at."""
    leg = table_map.legs[direction]
    known = source_columns(table_map, leg)
    looked_at = list(expectation.column_names)
    names = list(looked_at)
    if expectation.where and not argument_problem("when", expectation.where):
        names += columns_of(parse(expectation.where))
    for name in dict.fromkeys(names):
        if name not in known:
            message = f"{expectation.rule} reads {name}, which the leg {direction} does not extract."
            document.report(entry.line, message, "Add it to `also:` in `extract:` of the leg.")
    return [source_column(table_map, leg, name) for name in looked_at if name in known]


def _with_bounds(
    document: Document, expectation: RowExpectation, options: Mapping[str, Located], columns: list[Column]
) -> RowExpectation:
    """Read bounds as what their column holds: a day, a moment or a whole number."""
    bounds = {
        name: _bound(document, expectation.rule, name, options[name], columns)
        for name in _BOUNDS
        if name in options
    }
    return replace(expectation, options={**expectation.options, **bounds})


def _bound(document: Document, rule: str, name: str, located: Located, columns: list[Column]) -> Any:
    value = located.value
    timed = bool(columns) and (columns[0].is_day or columns[0].type is ColumnType.DATETIME)
    if timed:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            document.report(located.line, f"{name} of {rule} is no day.", 'Write it as "2020-01-31".')
            return value
        # A moment has no zone: Great Expectations knows none, and is given UTC.
        return day if columns[0].is_day else datetime(day.year, day.month, day.day)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST_EXACT:
        document.report(
            located.line,
            f"{name} of {rule} is no whole number up to {_MOST_EXACT}.",
            "Bounds are compared as floats, in which a fraction is not exact: use a whole number.",
        )
    return value


def _names(columns: Mapping[str, Located]) -> Iterator[str]:
    for located in columns.values():
        plain = located.plain()
        yield from plain if isinstance(plain, tuple) else (str(plain),)


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
