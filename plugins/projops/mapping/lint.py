"""What is wrong with maps: everything, with file, line and remedy.

`reader` has seen to the form of each file. Here a map is held against both systems' catalog, the
shared value maps and companies, and the other maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from projops.mapping import catalog
from projops.mapping.catalog import Column
from projops.mapping.companies import Company
from projops.mapping.expressions import columns_of, literals_of, parse
from projops.mapping.findings import Finding
from projops.mapping.fit import literal_problem, misfit, rule_shape
from projops.mapping.model import Deletes, FieldRule, Leaves, Leg, Step, Strategy, System, TableMap, WriteMode
from projops.mapping.operators import MAKES_A_VALUE, function_name, step_columns
from projops.mapping.order import cycles
from projops.mapping.paths import key_paths, source_column, table_of, target_column
from projops.mapping.reader import MapFolder, read_folder
from projops.mapping.value_maps import ValueMap

# Finance alone owns these (R101): tax, dimensions, posting and bank of contracts, lines and projects.
ACCOUNTING_ATTRIBUTES = frozenset(
    {
        "BankAccountId",
        "CustomerPostingProfileId",
        "DefaultDimensionDisplayValue",
        "DefaultLedgerDimensionDisplayValue",
        "DimensionAccount",
        "DimensionDisplayValue",
        "PostingProfile",
        "SalesTaxGroup",
        "SalesTaxGroupCode",
        "SalesTaxGroupId",
    }
)

_FITTING_STRATEGIES = {
    System.DATAVERSE: (Strategy.CHANGE_TRACKING, Strategy.SNAPSHOT),
    System.FINANCE: (Strategy.INCREMENTAL_EXPORT, Strategy.SNAPSHOT),
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a map is held against besides the catalog.

    Attributes:
        maps: Ids of all maps, broken ones too.
        value_maps: Value maps by name.
        companies: Companies by code.
    """

    maps: frozenset[str]
    value_maps: Mapping[str, ValueMap]
    companies: Mapping[str, Company]


def lint(folder: Path) -> tuple[Finding, ...]:
    """Everything that is wrong in a folder of maps, sorted by file and line."""
    content = read_folder(folder)
    unreadable = (finding for findings in content.unreadable.values() for finding in findings)
    return tuple(sorted({*unreadable, *lint_folder(content)}))


def lint_folder(content: MapFolder) -> tuple[Finding, ...]:
    """Everything that is wrong in what was read, but for the form of files."""
    ids = frozenset(content.maps) | {map_id for _, map_id in content.unreadable}
    around = Surroundings(ids, content.value_maps, content.companies)
    findings = list(content.shared)
    for table_map in content.maps.values():
        findings.extend(lint_map(table_map, around))
    findings.extend(_cycle_findings(content.maps))
    return tuple(findings)


def lint_map(table_map: TableMap, around: Surroundings) -> Iterator[Finding]:
    """Everything that is wrong with one map by itself."""
    tables = tuple(_table_findings(table_map))
    yield from tables
    yield from _needs_findings(table_map, around)
    yield from _company_findings(table_map, around)
    yield from _conflict_findings(table_map)
    if tables:
        return
    yield from _key_findings(table_map)
    for leg in table_map.legs.values():
        yield from _leg_findings(table_map, leg)
        for rule in leg.fields:
            yield from _rule_findings(table_map, leg, rule, around)


def _finding(table_map: TableMap, line: int, message: str, remedy: str) -> Finding:
    return Finding(table_map.file, line, message, remedy)


def _table_findings(table_map: TableMap) -> Iterator[Finding]:
    for system, name in ((System.DATAVERSE, table_map.dataverse), (System.FINANCE, table_map.finance)):
        tables = catalog.dataverse_tables() if system is System.DATAVERSE else catalog.finance_tables()
        if name not in tables:
            line = table_map.lines.get(system, 1)
            message = f"The catalog has no {system} table {name}."
            yield _finding(table_map, line, message, "Correct the name, or add the table to the catalog.")


def _needs_findings(table_map: TableMap, around: Surroundings) -> Iterator[Finding]:
    for need in table_map.needs:
        if need not in around.maps:
            message = f"{table_map.map} needs the map {need}, which does not exist."
            yield _finding(table_map, table_map.lines["needs"], message, "Correct the id or take it out.")


def _company_findings(table_map: TableMap, around: Surroundings) -> Iterator[Finding]:
    for code in table_map.companies or ():
        if code not in around.companies:
            message = f"{table_map.map} names the unknown company {code}."
            remedy = "Add it to _shared/companies.yaml, or correct the code."
            yield _finding(table_map, table_map.lines["companies"], message, remedy)


def _conflict_findings(table_map: TableMap) -> Iterator[Finding]:
    shared = table_map.shared_fields()
    if shared and table_map.conflict is None:
        fields = ", ".join(finance for finance, _ in shared)
        message = f"Both legs of {table_map.map} write {fields}, and nothing says who wins."
        yield _finding(
            table_map, table_map.lines["legs"], message, "Add `conflict: finance` or `conflict: dataverse`."
        )


def _cycle_findings(maps: Mapping[str, TableMap]) -> Iterator[Finding]:
    for cycle in cycles(maps):
        for map_id in cycle:
            ring = " -> ".join((*cycle, cycle[0]))
            message = f"{map_id} stands in a cycle of needs: {ring}."
            yield _finding(maps[map_id], maps[map_id].lines["needs"], message, "Take one of these needs out.")


def _key_findings(table_map: TableMap) -> Iterator[Finding]:
    entity, table = table_of(table_map, System.FINANCE), table_of(table_map, System.DATAVERSE)
    broken = False
    for part in table_map.key:
        line = table_map.lines[f"key.{part.finance}"]
        for start, path in ((entity, part.finance), (table, part.dataverse)):
            try:
                catalog.resolve(start, path)
            except KeyError as error:
                broken = True
                yield _finding(table_map, line, str(error.args[0]), "Correct the key.")
    for missing in sorted(set(entity.keys[0]) - {part.finance for part in table_map.key}):
        message = f"The key field {missing} of {entity.name} is not mapped."
        yield _finding(
            table_map, table_map.lines["key"], message, f"Add `{missing}: <Dataverse path>` to the key."
        )
    if not broken:
        yield from _alternate_key_findings(table_map)


def _alternate_key_findings(table_map: TableMap) -> Iterator[Finding]:
    table = table_of(table_map, System.DATAVERSE)
    columns = {part.dataverse.partition(".")[0] for part in table_map.key}
    if table.primary_id in columns or any(columns.issuperset(key) for key in table.keys):
        return
    known = "; ".join("+".join(key) for key in table.keys) or "none"
    mine = ", ".join(sorted(columns))
    message = f"The key columns {mine} are no alternate key of {table.name} (it has: {known})."
    yield _finding(table_map, table_map.lines["key"], message, "Use the columns of an alternate key.")


def _leg_findings(table_map: TableMap, leg: Leg) -> Iterator[Finding]:
    fitting = _FITTING_STRATEGIES[leg.direction.source]
    if leg.extract.strategy not in fitting:
        message = f"{leg.direction.source} cannot be read by {leg.extract.strategy}."
        yield _finding(table_map, leg.line, message, f"Use {' or '.join(fitting)}.")
    if leg.write is WriteMode.UPDATE_ONLY and leg.deletes is Deletes.PROPAGATE:
        message = f"The leg {leg.direction} only updates, but hands on deletes."
        yield _finding(table_map, leg.line, message, "Say `deletes: ignore`.")
    if leg.direction.target is System.FINANCE and Deletes.DEACTIVATE in (
        leg.deletes,
        leg.extract.leaves.value,
    ):
        message = "A Finance row has no state to deactivate."
        yield _finding(
            table_map, leg.line, message, f"Use {Deletes.PROPAGATE}, {Leaves.DELETE} or {Leaves.KEEP}."
        )
    if not leg.fields and leg.write is WriteMode.UPDATE_ONLY:
        yield _finding(table_map, leg.line, f"The leg {leg.direction} updates no field.", "Add fields.")
    yield from _where_findings(table_map, leg)


def _where_findings(table_map: TableMap, leg: Leg) -> Iterator[Finding]:
    if leg.extract.where is not None:
        yield from _condition_findings(table_map, leg, leg.extract.where, leg.line)


def _condition_findings(table_map: TableMap, leg: Leg, text: str, line: int) -> Iterator[Finding]:
    expression = parse(text)
    columns = {}
    for path in columns_of(expression):
        try:
            columns[path] = source_column(table_map, leg, path)
        except KeyError as error:
            yield _finding(table_map, line, str(error.args[0]), "Correct the condition.")
    for path, value in literals_of(expression):
        column = columns.get(path)
        if column is None or value is None or not (column.options or column.enum):
            continue
        problem = literal_problem(value, column)
        if problem:
            yield _finding(
                table_map,
                line,
                f"The condition compares {path} with {value}, which {problem}.",
                "Correct it.",
            )


def _rule_findings(table_map: TableMap, leg: Leg, rule: FieldRule, around: Surroundings) -> Iterator[Finding]:
    try:
        target = target_column(table_map, leg, rule.target)
    except KeyError as error:
        yield _finding(
            table_map, rule.line, str(error.args[0]), "Correct the field, or leave it out and say so."
        )
        return
    yield from _target_findings(table_map, leg, rule)
    yield from _value_findings(table_map, rule)
    columns, unknown = _columns_read(table_map, leg, rule)
    yield from unknown
    if unknown:
        return
    source = columns[rule.source] if rule.source is not None else None
    for step in rule.steps:
        for message, remedy in _STEP_CHECKS.get(step.operator, _no_problem)(
            leg, step, source, target, around
        ):
            yield _finding(table_map, step.line, f"The field {rule.target}: {message}.", remedy)
        if step.operator == "when":
            yield from _condition_findings(table_map, leg, step.argument, step.line)
    problem = misfit(rule_shape(source, rule.steps, columns), target)
    if problem:
        yield _finding(table_map, rule.line, f"The field {rule.target}: {problem[0]}.", problem[1])


def _columns_read(table_map: TableMap, leg: Leg, rule: FieldRule) -> tuple[dict[str, Column], list[Finding]]:
    columns: dict[str, Column] = {}
    unknown = []
    read = [(rule.source, rule.line)] if rule.source is not None else []
    read += [(path, step.line) for step in rule.steps for path in step_columns(step)]
    for path, line in read:
        try:
            columns[path] = source_column(table_map, leg, path)
        except KeyError as error:
            unknown.append(_finding(table_map, line, str(error.args[0]), "Correct the column."))
    return columns, unknown


def _value_findings(table_map: TableMap, rule: FieldRule) -> Iterator[Finding]:
    makes = bool(rule.steps) and rule.steps[0].operator in MAKES_A_VALUE
    if rule.source is None and not makes:
        message = f"The field {rule.target} has no value."
        yield _finding(table_map, rule.line, message, "Begin with `from`, `constant`, `concat` or `python`.")
    if rule.source is not None and rule.steps and rule.steps[0].operator in ("constant", "concat"):
        message = f"The field {rule.target} takes both `from` and `{rule.steps[0].operator}`."
        yield _finding(table_map, rule.line, message, "Keep one of the two.")


def _target_findings(table_map: TableMap, leg: Leg, rule: FieldRule) -> Iterator[Finding]:
    system = leg.direction.target
    start = table_of(table_map, system)
    resolved = catalog.resolve(start, rule.target)
    first = resolved.columns[0]
    if rule.target in key_paths(table_map, system):
        message = f"{rule.target} is part of the key and needs no field."
        yield _finding(table_map, rule.line, message, "Take the field out.")
    if first.read_only or first.name == start.primary_id:
        message = f"{start.name}.{first.name} is written by {system} alone."
        yield _finding(table_map, rule.line, message, "Take the field out.")
    if system is System.FINANCE and rule.target in ACCOUNTING_ATTRIBUTES:
        message = f"{rule.target} is an accounting attribute, which Finance alone owns (R101)."
        yield _finding(table_map, rule.line, message, "Take the field out.")
    if len(resolved.columns) > 1 and not any(resolved.column.name in key for key in resolved.table.keys):
        name = f"{resolved.table.name}.{resolved.column.name}"
        message = f"No row can be found by {name}, which is in no alternate key."
        yield _finding(table_map, rule.line, message, "Set the lookup by a column of an alternate key.")


_Problems = Iterator[tuple[str, str]]


def _no_problem(
    leg: Leg, step: Step, source: Column | None, target: Column, around: Surroundings
) -> _Problems:
    del leg, step, source, target, around
    yield from ()


def _value_map_problems(
    leg: Leg, step: Step, source: Column | None, target: Column, around: Surroundings
) -> _Problems:
    value_map = around.value_maps.get(step.argument)
    if value_map is None:
        yield (
            f"there is no value map {step.argument}",
            f"Add _shared/{step.argument}.yaml, or correct the name.",
        )
        return
    pairs = value_map.towards(leg.direction)
    for hole in _holes(source, pairs) if source is not None else ():
        remedy = f"Add a line for it to {value_map.file}."
        yield (
            f"the value map {value_map.name} has no line for {hole} of {source.name if source else ''}",
            remedy,
        )
    for value in sorted({value for value in pairs.values() if value is not None}):
        problem = _mapped_problem(value, target)
        if problem:
            yield (
                f"the value map {value_map.name} gives {value}, which {problem}",
                f"Correct {value_map.file}.",
            )


def _holes(source: Column, pairs: Mapping[str | None, str | None]) -> tuple[str, ...]:
    if source.options:
        members = {str(value): f"{value} ({label})" for value, label in source.options.items()}
    elif source.enum:
        members = {symbol: symbol for symbol in catalog.finance_enums().get(source.enum, ())}
    elif source.type is catalog.ColumnType.BOOLEAN:
        members = {"true": "true", "false": "false"}
    else:
        members = {}
    return tuple(shown for member, shown in members.items() if member not in pairs)


def _mapped_problem(value: str, target: Column) -> str | None:
    if target.type in (catalog.ColumnType.OPTION, catalog.ColumnType.INTEGER, catalog.ColumnType.BIGINT):
        return literal_problem(int(value), target) if value.lstrip("-").isdigit() else "is no whole number"
    if target.type is catalog.ColumnType.BOOLEAN:
        return None if value in ("true", "false") else "is neither true nor false"
    return literal_problem(value, target)


def _literal_problems(
    leg: Leg, step: Step, source: Column | None, target: Column, around: Surroundings
) -> _Problems:
    del leg, source, around
    if isinstance(step.argument, Mapping):
        return
    problem = literal_problem(step.argument, target)
    if problem:
        yield f"the {step.operator} {step.argument} {problem}", "Correct it."


def _function_problems(
    leg: Leg, step: Step, source: Column | None, target: Column, around: Surroundings
) -> _Problems:
    from projops.transform.functions import function_names

    del leg, source, target, around
    name = function_name(step)
    if name not in function_names():
        known = ", ".join(function_names())
        yield (
            f"there is no registered function {name}",
            f"Register it in transform/functions.py, or use: {known}.",
        )


_STEP_CHECKS: Mapping[str, Callable[[Leg, Step, Column | None, Column, Surroundings], _Problems]] = {
    "value_map": _value_map_problems,
    "constant": _literal_problems,
    "default": _literal_problems,
    "python": _function_problems,
}
