"""What is wrong with maps: everything, with file, line and remedy.

`reader` has seen to the form of each file. Here a map is held against both systems' catalog, the
shared value maps and companies, and the other maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from projops.mapping import catalog
from projops.mapping.companies import Company
from projops.mapping.findings import Finding
from projops.mapping.lint_fields import condition_findings, field_findings
from projops.mapping.model import (
    DeleteLimit,
    Deletes,
    Direction,
    Leaves,
    Leg,
    Strategy,
    System,
    TableMap,
    WriteMode,
)
from projops.mapping.order import cycles
from projops.mapping.paths import period_paths, source_column, table_of
from projops.mapping.reader import MapFolder, read_folder
from projops.mapping.value_maps import ValueMap

_FITTING_STRATEGIES = {
    System.DATAVERSE: (Strategy.CHANGE_TRACKING, Strategy.SNAPSHOT),
    System.FINANCE: (Strategy.INCREMENTAL_EXPORT, Strategy.SNAPSHOT),
}

# What a leg that removes rows that leave its filter must do with deletes.
_REMOVALS = {Leaves.DELETE: Deletes.PROPAGATE, Leaves.DEACTIVATE: Deletes.DEACTIVATE}


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
    yield from _gate_findings(table_map)
    if tables:
        return
    yield from _key_findings(table_map)
    yield from _period_findings(table_map)
    for leg in table_map.legs.values():
        yield from _leg_findings(table_map, leg)
        for rule in leg.fields:
            yield from field_findings(table_map, leg, rule, around.value_maps)


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


def _gate_findings(table_map: TableMap) -> Iterator[Finding]:
    if table_map.gate is None:
        return
    line = table_map.lines["gate"]
    name = table_map.gate.billed_actuals
    column = catalog.dataverse_tables()["msdyn_actual"].columns.get(name)
    if column is None or table_map.dataverse not in column.targets:
        message = f"msdyn_actual.{name} is no lookup to {table_map.dataverse}, so no gate can count by it."
        yield _finding(table_map, line, message, "Name the lookup of the actual that leads to this table.")
    if Direction.DATAVERSE_TO_FINANCE not in table_map.legs:
        message = f"{table_map.map} has a gate but no leg dataverse_to_finance."
        yield _finding(table_map, line, message, "Take the gate out; only rows on their way to Finance wait.")


def _period_findings(table_map: TableMap) -> Iterator[Finding]:
    entity = table_of(table_map, System.FINANCE)
    for name in table_map.period:
        line = table_map.lines["period"]
        column = entity.columns.get(name)
        if column is None:
            message = f"{entity.name} has no column {name}, so it can say no period."
            yield _finding(table_map, line, message, "Name a date field of the Finance entity.")
        elif not column.is_day:
            message = f"{entity.name}.{name} is no date, so it can say no period."
            yield _finding(table_map, line, message, "Name a date field of the Finance entity.")
        elif not period_paths(replace(table_map, period=(name,)), System.DATAVERSE):
            message = f"No leg of {table_map.map} maps {name}, so Dataverse cannot say a row's period."
            yield _finding(table_map, line, message, "Map the field, or name one that is mapped.")


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
    yield from _delete_findings(table_map, leg)
    if leg.direction.target is System.FINANCE and Deletes.DEACTIVATE in (
        leg.deletes,
        leg.extract.leaves.value,
    ):
        message = "A Finance row has no state to deactivate."
        yield _finding(
            table_map, leg.line, message, f"Use {Deletes.PROPAGATE}, {Leaves.DELETE} or {Leaves.KEEP}."
        )
    if not leg.kept_in_step and leg.write is WriteMode.UPDATE_ONLY:
        yield _finding(table_map, leg.line, f"The leg {leg.direction} updates no field.", "Add fields.")
    yield from _extract_findings(table_map, leg)


def _delete_findings(table_map: TableMap, leg: Leg) -> Iterator[Finding]:
    wanted = _REMOVALS.get(leg.extract.leaves, leg.deletes)
    if wanted is not leg.deletes:
        message = f"The leg {leg.direction} treats rows that leave its filter and deletes alike, "
        message += f"but says {leg.extract.leaves} for the ones and {leg.deletes} for the others."
        yield _finding(table_map, leg.line, message, f"Say `deletes: {wanted}`, or `leaves: {Leaves.KEEP}`.")
    if leg.deletes is Deletes.IGNORE:
        if leg.approve_deletes_above != DeleteLimit():
            message = f"The leg {leg.direction} ignores deletes, but limits them."
            yield _finding(table_map, leg.line, message, "Take `approve_deletes_above` out.")
    elif leg.extract.strategy is Strategy.INCREMENTAL_EXPORT:
        message = f"The leg {leg.direction} hands on deletes, of which an export tells nothing."
        yield _finding(table_map, leg.line, message, "Use snapshot, or say `deletes: ignore`.")


def _extract_findings(table_map: TableMap, leg: Leg) -> Iterator[Finding]:
    for path in leg.extract.also:
        try:
            source_column(table_map, leg, path)
        except KeyError as error:
            yield _finding(table_map, leg.line, str(error.args[0]), "Correct `also:`.")
    if leg.extract.where is not None:
        yield from condition_findings(table_map, leg, leg.extract.where, leg.line)
