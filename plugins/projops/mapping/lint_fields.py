"""What is wrong with the field rows of a leg, and with conditions: columns, operators, types, values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from projops.mapping import catalog
from projops.mapping.catalog import Column
from projops.mapping.expressions import columns_of, literals_of, parse
from projops.mapping.findings import Finding
from projops.mapping.fit import literal_problem, misfit, rule_shape
from projops.mapping.model import FieldRule, Leg, Step, System, TableMap, WriteMode
from projops.mapping.operators import MAKES_A_VALUE, function_name, step_columns
from projops.mapping.paths import key_paths, source_column, table_of, target_column
from projops.mapping.value_maps import ValueMap, value_text

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

_Problems = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """A field rule with what it is held against.

    Attributes:
        table_map: The map.
        leg: The leg.
        rule: The rule.
        source: Catalog column that `from` names, or None.
        target: Catalog column that is written.
        value_maps: Value maps by name.
    """

    table_map: TableMap
    leg: Leg
    rule: FieldRule
    source: Column | None
    target: Column
    value_maps: Mapping[str, ValueMap]


def field_findings(
    table_map: TableMap, leg: Leg, rule: FieldRule, value_maps: Mapping[str, ValueMap]
) -> Iterator[Finding]:
    """Everything that is wrong with one field row."""
    try:
        target = target_column(table_map, leg, rule.target)
    except KeyError as error:
        remedy = "Correct the field, or leave it out and say so."
        yield _finding(table_map, rule.line, str(error.args[0]), remedy)
        return
    yield from _target_findings(table_map, leg, rule)
    yield from _value_findings(table_map, rule)
    columns, unknown = _columns_read(table_map, leg, rule)
    yield from unknown
    if not unknown:
        source = columns[rule.source] if rule.source is not None else None
        yield from _step_findings(Field(table_map, leg, rule, source, target, value_maps), columns)


def condition_findings(table_map: TableMap, leg: Leg, text: str, line: int) -> Iterator[Finding]:
    """Everything that is wrong with a condition: unknown columns, values that a column cannot have."""
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


def _step_findings(field: Field, columns: Mapping[str, Column]) -> Iterator[Finding]:
    table_map, rule = field.table_map, field.rule
    for step in rule.steps:
        check = _STEP_CHECKS.get(step.operator)
        for message, remedy in check(field, step) if check is not None else ():
            yield _finding(table_map, step.line, f"The field {rule.target}: {message}.", remedy)
        if step.operator == "when":
            yield from condition_findings(table_map, field.leg, step.argument, step.line)
    problem = misfit(rule_shape(field.source, rule.steps, columns), field.target)
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
    if rule.create_only and leg.write is WriteMode.UPDATE_ONLY:
        message = f"{rule.target} is written at creation only, and this leg never creates a row."
        yield _finding(table_map, rule.line, message, "Take `create_only` out, or the field.")
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


def _value_map_problems(field: Field, step: Step) -> _Problems:
    value_map = field.value_maps.get(step.argument)
    if value_map is None:
        remedy = f"Add _shared/{step.argument}.yaml, or correct the name."
        yield f"there is no value map {step.argument}", remedy
        return
    pairs = value_map.towards(field.leg.direction)
    if field.source is not None:
        for hole in _holes(field.source, pairs):
            message = f"the value map {value_map.name} has no line for {hole} of {field.source.name}"
            yield message, f"Add a line for it to {value_map.file}."
    for value in sorted({value for value in pairs.values() if value is not None}):
        problem = _mapped_problem(value, field.target)
        if problem:
            message = f"the value map {value_map.name} gives {value}, which {problem}"
            yield message, f"Correct {value_map.file}."


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


def _constant_problems(field: Field, step: Step) -> _Problems:
    problem = literal_problem(step.argument, field.target)
    if problem:
        yield f"the {step.operator} {step.argument} {problem}", "Correct it."


def _default_problems(field: Field, step: Step) -> _Problems:
    """A default before a value map is a value of the source, else one of the target."""
    if isinstance(step.argument, Mapping):
        return
    later = field.rule.steps[field.rule.steps.index(step) :]
    name = next((each.argument for each in later if each.operator == "value_map"), None)
    if name is None:
        yield from _constant_problems(field, step)
    elif name in field.value_maps:
        pairs = field.value_maps[name].towards(field.leg.direction)
        if value_text(step.argument) not in pairs:
            message = f"the default {step.argument} has no line in the value map {name}"
            yield message, "Correct one of the two."


def _function_problems(field: Field, step: Step) -> _Problems:
    from projops.transform.functions import function_names

    del field
    name = function_name(step)
    if name not in function_names():
        known = ", ".join(function_names())
        remedy = f"Register it in transform/functions.py, or use: {known}."
        yield f"there is no registered function {name}", remedy


def _finding(table_map: TableMap, line: int, message: str, remedy: str) -> Finding:
    return Finding(table_map.file, line, message, remedy)


_STEP_CHECKS: Mapping[str, Callable[[Field, Step], _Problems]] = {
    "value_map": _value_map_problems,
    "constant": _constant_problems,
    "default": _default_problems,
    "python": _function_problems,
}
