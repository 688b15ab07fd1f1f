"""How the fields of one row come about: through the very operators, rules and checks that move it."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from projops.extract.frames import matching
from projops.lineage.trace.model import Change, Check, FieldTrace
from projops.load.decide import Policy
from projops.mapping.model import FieldRule, Leg, System, TableMap
from projops.mapping.paths import table_of
from projops.mapping.reader import LoadedMaps
from projops.transform.canonical import finance_canonical
from projops.transform.context import Rows, rows_of
from projops.transform.outcome import one_array
from projops.transform.rows import Stepped, read_values, steps_of, transform_table
from projops.validate.counts import Count
from projops.validate.expectations import OF_KEYS, RowExpectation
from projops.validate.implied import expectations_of
from projops.validate.rows import validate_table


def takes(leg: Leg, source: pa.Table) -> bool:
    """Say whether the map's filter takes a row (a source frame of one row)."""
    return bool(matching(leg.extract.where, source)[0].as_py())


def transformed(
    table_map: TableMap, leg: Leg, source: pa.Table, loaded: LoadedMaps
) -> tuple[pa.Table, tuple[str, ...]]:
    """Make the target row: a target frame of one row or none, and why the row would be set aside."""
    good, rejects = transform_table(table_map, leg, source, loaded.value_maps, loaded.companies, loaded.maps)
    return good, tuple(rejects["message"].to_pylist())


def fields(
    table_map: TableMap,
    leg: Leg,
    source: pa.Table,
    made: pa.Table,
    target: pa.Table | None,
    loaded: LoadedMaps,
) -> tuple[FieldTrace, ...]:
    """Explain each target field of a leg.

    Args:
        table_map: The map.
        leg: The leg.
        source: Source frame of the one row.
        made: What the mapping makes of it (`transformed`).
        target: The target's row as it was read, or None where it has none.
        loaded: Value maps and companies.
    """
    rows = rows_of(table_map, leg, source, loaded.value_maps, loaded.companies)
    held = None if target is None else _as_held(table_map, leg, target)
    policy = Policy.of(table_map, leg)
    return tuple(_field(table_map, leg, rule, rows, made, held, policy) for rule in leg.fields)


def checks(
    table_map: TableMap, leg: Leg, source: pa.Table, loaded: LoadedMaps, written: tuple[RowExpectation, ...]
) -> tuple[Check, ...]:
    """Hold a row against every rule of its leg: those that map and schema imply, and those written down."""
    expectations = expectations_of(table_map, leg, loaded.value_maps, written)
    counts = validate_table(table_map, leg, source, expectations).counts
    rules = (*expectations, *OF_KEYS)
    return tuple(
        Check(
            rule=each.rule,
            field=each.field,
            message=each.message,
            written=each in written,
            severity=each.severity.value,
            passed=_passed(count),
        )
        for each, count in zip(rules, counts, strict=True)
    )


def _passed(count: Count) -> bool | None:
    return None if count.rows == 0 else count.broken == 0


def _as_held(table_map: TableMap, leg: Leg, target: pa.Table) -> pa.Table:
    if leg.direction.target is System.DATAVERSE:
        return target
    return finance_canonical(table_of(table_map, System.FINANCE), target)


def _field(
    table_map: TableMap,
    leg: Leg,
    rule: FieldRule,
    rows: Rows,
    made: pa.Table,
    held: pa.Table | None,
    policy: Policy,
) -> FieldTrace:
    value = _first(made, rule.target) if made.num_rows else None
    stands = None if held is None else _first(held, rule.target)
    comparable = held is not None and made.num_rows > 0 and not rule.create_only
    return FieldTrace(
        target=rule.target,
        source=rule.source,
        value=read_values(rule, rows)[0].as_py(),
        changes=tuple(_changes(steps_of(table_map, leg, rule, rows))),
        made=value,
        held=stands,
        equal=policy.same(rule.target, value, stands) if comparable else None,
    )


def _changes(steps: Iterator[Stepped]) -> Iterator[Change]:
    for each in steps:
        outcome = each.outcome
        bad = outcome.bad is not None and bool(outcome.bad[0].as_py())
        yield Change(
            operator=each.step.operator,
            argument=each.step.argument,
            before=each.given[0].as_py(),
            after=one_array(outcome.values)[0].as_py(),
            fault=outcome.reason if bad else "",
        )


def _first(table: pa.Table, name: str) -> object:
    return table[name][0].as_py()
