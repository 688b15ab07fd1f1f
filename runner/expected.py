"""What a leg's mapping makes of one row, worked out row by row, apart from the engine's columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from projops.mapping import catalog
from projops.mapping.expressions import parse
from projops.mapping.model import Direction, FieldRule, Step, System, TableMap
from projops.mapping.operators import is_literal, literal_text
from projops.mapping.reader import LoadedMaps
from runner.conditions import holds
from runner.rows import Rows
from runner.wire import Row

Key = tuple[Any, ...]
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "outline_level": lambda wbs: None if wbs is None else Decimal(wbs.count(".") + 1),
}


@dataclass(frozen=True)
class Side:
    """One side of a map: its table, and how to read a row of it.

    Attributes:
        table_map: The map.
        system: Which side.
        rows: Rows of both systems.
        loaded: Value maps and companies.
    """

    table_map: TableMap
    system: System
    rows: Rows
    loaded: LoadedMaps

    @property
    def table(self) -> catalog.Table:
        """The table or entity set of this side."""
        dataverse = self.system is System.DATAVERSE
        return catalog.table(self.system, self.table_map.dataverse if dataverse else self.table_map.finance)

    def key(self, row: Row) -> Key:
        """The integration key, folded as both systems compare keys."""
        return tuple(_folded(self.value(row, path)) for path in self._key_paths())

    def value(self, row: Row, path: str) -> Any:
        """A plain value of a row by column or lookup path; days are days of the row's company."""
        return self.rows.cell(self.table, row, path).plain(self.zone(row))

    def zone(self, row: Row) -> ZoneInfo:
        """The zone of the company that a row belongs to; UTC where it belongs to none."""
        for part, path in zip(self.table_map.key, self._key_paths(), strict=True):
            if part.finance.lower().endswith("dataareaid"):
                code = self.rows.cell(self.table, row, path).value
                company = self.loaded.companies.get(str(code).lower())
                return ZoneInfo(company.zone if company else "UTC")
        return ZoneInfo("UTC")

    def _key_paths(self) -> tuple[str, ...]:
        dataverse = self.system is System.DATAVERSE
        return tuple(part.dataverse if dataverse else part.finance for part in self.table_map.key)


def belongs(side: Side, direction: Direction, row: Row) -> bool:
    """Whether a leg moves a source row: its filter holds."""
    where = side.table_map.legs[direction].extract.where
    return where is None or holds(parse(where), lambda path: side.value(row, path))


def expected_value(side: Side, direction: Direction, rule: FieldRule, row: Row) -> Any:
    """What a field rule makes of a source row, as a plain value."""
    value = None if rule.source is None else side.value(row, rule.source)
    for step in rule.steps:
        value = _STEPS[step.operator](value, step, side, direction, row)
    return value


def text_of(value: Any) -> str | None:
    """A value as value maps hold it."""
    return None if value is None else str(value)


_Step = Callable[[Any, Step, Side, Direction, Row], Any]


def _value_map(value: Any, step: Step, side: Side, direction: Direction, _row: Row) -> Any:
    return side.loaded.value_maps[step.argument].towards(direction).get(text_of(value))


def _default(value: Any, step: Step, side: Side, _direction: Direction, row: Row) -> Any:
    if value is not None:
        return value
    return (
        side.value(row, step.argument["from"])
        if isinstance(step.argument, Mapping)
        else _plain(step.argument)
    )


def _constant(_value: Any, step: Step, *_: Any) -> Any:
    return _plain(step.argument)


def _truncate(value: Any, step: Step, *_: Any) -> Any:
    return None if value is None else value[: step.argument]


def _round(value: Any, step: Step, *_: Any) -> Any:
    return None if value is None else value.quantize(Decimal(1).scaleb(-step.argument), ROUND_HALF_UP)


def _same(value: Any, *_: Any) -> Any:
    return value


def _concat(_value: Any, step: Step, side: Side, _direction: Direction, row: Row) -> Any:
    parts = [literal_text(part) if is_literal(part) else side.value(row, part) for part in step.argument]
    return "".join(str(part) for part in parts if part is not None)


def _when(value: Any, step: Step, side: Side, _direction: Direction, row: Row) -> Any:
    return value if holds(parse(step.argument), lambda path: side.value(row, path)) else None


def _python(value: Any, step: Step, *_: Any) -> Any:
    return _FUNCTIONS[step.argument](value)


_STEPS: Mapping[str, _Step] = {
    "value_map": _value_map,
    "default": _default,
    "constant": _constant,
    "truncate": _truncate,
    "round": _round,
    "date": _same,  # plain values of dates are days already
    "concat": _concat,
    "unit": _same,
    "currency": _same,
    "when": _when,
    "python": _python,
}


def _plain(argument: Any) -> Any:
    if isinstance(argument, bool):
        return str(argument).lower()
    return Decimal(argument) if isinstance(argument, int) else argument


def _folded(value: Any) -> Any:
    return value.casefold().rstrip() if isinstance(value, str) else value
