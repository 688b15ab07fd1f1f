"""Running an export: rows that changed since the group's last export, as a package."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog
from sandbox.finance.packages.blobs import BlobStore
from sandbox.finance.packages.executions import (
    change_execution,
    forget_job_details,
    forget_problems,
    insert_job_detail,
)
from sandbox.finance.packages.files import SOURCE_FORMATS, file_columns, file_suffix, records_of, render
from sandbox.finance.packages.groups import DETAILS, EXPORT, FULL_PUSHES, GROUPS
from sandbox.finance.packages.manifest import EntityFile, Manifest, render_header, render_manifest
from sandbox.finance.packages.tables import Execution, PackageTables, Status
from sandbox.finance.packages.unpacking import HEADER, MANIFEST
from sandbox.schema.model import Table
from sandbox.store import WriteUnit, fold
from sandbox.store.tables import REC_ID, VERSION

_ROWS_AT_ONCE = 5_000

Row = Mapping[Any, Any]


class ExportError(Exception):
    """An export that fails; the message goes into its execution errors."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export made.

    Attributes:
        group_recid: Record id of the definition group: a group made anew starts anew.
        blob_id: The zip.
        files: What is in it, and how many rows each file has.
        floors: Version above which rows were taken, by lower-case entity.
        ceiling: Version up to which rows were seen.
    """

    group_recid: int
    blob_id: str
    files: tuple[tuple[EntityFile, int], ...]
    floors: Mapping[str, int]
    ceiling: int


def find_group(connection: sa.Connection, catalog: Catalog, name: str, operation: str = EXPORT) -> Row | None:
    """The definition group of a name, without case."""
    groups = catalog.sql(GROUPS)
    query = sa.select(groups).where(fold(groups.c.Name) == fold(name), groups.c.OperationType == operation)
    return connection.execute(query).mappings().first()


def run_export(catalog: Catalog, tables: PackageTables, blobs: BlobStore, execution: Execution) -> Export:
    """Read one snapshot of the database and render it as a package, on disk.

    Rows count as changed when their version is above the one that the group last exported for this
    entity and company; deleted rows are in no export [?]. A re-execution begins where the first run
    of its id began.

    Raises:
        ExportError: The group or an entity cannot be exported.
    """
    with TemporaryFile() as file:
        with catalog.store.read() as connection:
            group = find_group(connection, catalog, execution.group)
            if group is None:
                raise ExportError(f"The definition group '{execution.group}' does not exist.")
            ceiling = connection.execute(sa.select(catalog.store.environment.c.version)).scalar_one()
            floors = _floors(connection, tables, execution, group[REC_ID])
            planned = [_planned(catalog, detail) for detail in _details(connection, catalog, group)]
            if not planned:
                raise ExportError(f"The definition group '{execution.group}' holds no entities.")
            manifest = Manifest(group["Name"], group["Description"], tuple(it for _, it in planned))
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
                package.writestr(HEADER, render_header(manifest))
                package.writestr(MANIFEST, render_manifest(manifest))
                counts = [
                    _write_file(
                        package, it, table, _changed(connection, catalog, table, execution.company, floor)
                    )
                    for table, it, floor in _with_floors(planned, floors)
                ]
        file.seek(0)
        blob_id = blobs.keep(f"{execution.package_name}.zip", "application/zip", file)
    files = tuple(zip(manifest.entities, counts, strict=True))
    taken = {it.entity.lower(): floors.get(it.entity.lower(), 0) for it in manifest.entities}
    return Export(group[REC_ID], blob_id, files, taken, ceiling)


def commit_export(unit: WriteUnit, tables: PackageTables, execution: Execution, export: Export) -> None:
    """Say that it succeeded and move the group's change state: from now on these rows are not new."""
    for entity, floor in export.floors.items():
        _put_floor(unit.connection, tables, execution.execution_id, entity, floor)
        _put_change(unit.connection, tables, (export.group_recid, entity, execution.company), export.ceiling)
    forget_problems(unit.connection, tables, execution.execution_id)
    forget_job_details(unit.connection, tables, execution.execution_id)
    for file, count in export.files:
        counts = dict.fromkeys(("StagingRecordsToBeProcessedCount", "StagingRecordsCreatedCount"), count)
        ended = {"StagingStatus": "Finished", "TargetStatus": "Finished", "TargetRecordsCreatedCount": count}
        insert_job_detail(unit, tables, execution, file, {**counts, **ended})
    values = {"status": Status.SUCCEEDED, "blob_id": export.blob_id}
    change_execution(unit.connection, tables, execution.execution_id, values)


def entity_table(catalog: Catalog, name: str) -> Table | None:
    """The entity set of a DMF entity name, which is its label, without case."""
    return next((table for table in catalog.sets.values() if table.label.lower() == name.lower()), None)


def _details(connection: sa.Connection, catalog: Catalog, group: Row) -> list[Row]:
    details = catalog.sql(DETAILS)
    query = sa.select(details).where(
        fold(details.c.DefinitionGroupId) == fold(group["Name"]), details.c.Disable == "No"
    )
    order = (
        details.c.ExecutionUnit,
        details.c.LevelInExecutionUnit,
        details.c.SequenceInLevel,
        details.c[REC_ID],
    )
    return [dict(row) for row in connection.execute(query.order_by(*order)).mappings()]


def _floors(
    connection: sa.Connection, tables: PackageTables, execution: Execution, group_recid: int
) -> dict[str, int]:
    """Where the delta of each entity begins; a re-execution begins where its first run began."""
    change, floor = tables.change.c, tables.floor.c
    mine = (change.group_recid == group_recid, change.company == execution.company)
    floors = {row.entity: row.version for row in connection.execute(sa.select(tables.change).where(*mine))}
    if execution.reexecute:
        query = sa.select(tables.floor).where(floor.execution_id == execution.execution_id)
        floors |= {row.entity: row.version for row in connection.execute(query)}
    return floors


def _planned(catalog: Catalog, detail: Row) -> tuple[Table, EntityFile]:
    name, source_format = detail["EntityName"], detail["SourceFormat"]
    table = entity_table(catalog, name)
    if table is None:
        raise ExportError(f"Entity {name} does not exist in the target environment.")
    if source_format not in SOURCE_FORMATS:
        known = ", ".join(SOURCE_FORMATS)
        raise ExportError(f"The source data format '{source_format}' of entity {name} is not one of {known}.")
    if detail["AutoGenerateMapping"] != "Yes":
        # a live system stages no row and stays in Executing for ever [L]; a reason helps more
        raise ExportError(f"Entity {name} has no field mapping: send AutoGenerateMapping = Yes with it.")
    names = tuple(column.name.upper() for column in file_columns(table))
    place = (detail["ExecutionUnit"], detail["LevelInExecutionUnit"], detail["SequenceInLevel"])
    file_name = f"{table.label}{file_suffix(source_format)}"
    mapping = tuple(zip(names, names, strict=True))
    return table, EntityFile(
        table.label, file_name, source_format, mapping, place, detail["DefaultRefreshType"]
    )


def _with_floors(
    planned: list[tuple[Table, EntityFile]], floors: Mapping[str, int]
) -> Iterator[tuple[Table, EntityFile, int]]:
    for table, file in planned:
        full = file.refresh_type in FULL_PUSHES
        yield table, file, 0 if full else floors.get(file.entity.lower(), 0)


def _write_file(package: zipfile.ZipFile, file: EntityFile, table: Table, rows: Iterator[Row]) -> int:
    """Write one data file into the package as its rows arrive; return how many they are."""
    counter = _Counter(rows)
    target: IO[bytes]
    with package.open(file.file, "w", force_zip64=True) as target:
        for piece in render(file.source_format, records_of(table, file.source_format, counter)):
            target.write(piece)
    return counter.count


class _Counter:
    """Rows that are counted as they pass."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row


def _changed(
    connection: sa.Connection, catalog: Catalog, table: Table, company: str, floor: int
) -> Iterator[Row]:
    """Rows above a version: of the company, or of all where companies share the set."""
    sql = catalog.sql(table)
    conditions = [sql.c[VERSION] > floor, *catalog.company_condition(table, company)]
    query = sa.select(sql).where(*conditions).order_by(sql.c[REC_ID])
    yield from connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}).mappings()


def _put_floor(
    connection: sa.Connection, tables: PackageTables, execution_id: str, entity: str, version: int
) -> None:
    floor = tables.floor
    connection.execute(sa.delete(floor).where(floor.c.execution_id == execution_id, floor.c.entity == entity))
    connection.execute(sa.insert(floor).values(execution_id=execution_id, entity=entity, version=version))


def _put_change(
    connection: sa.Connection, tables: PackageTables, key: tuple[int, str, str], version: int
) -> None:
    change = tables.change
    group_recid, entity, company = key
    mine = (change.c.group_recid == group_recid, change.c.entity == entity, change.c.company == company)
    connection.execute(sa.delete(change).where(*mine))
    row = {"group_recid": group_recid, "entity": entity, "company": company, "version": version}
    connection.execute(sa.insert(change).values(row))
