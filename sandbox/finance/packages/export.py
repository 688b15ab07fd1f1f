"""Running an export: rows that changed since the group's last export, as a package."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog
from sandbox.finance.packages.blobs import BlobStore
from sandbox.finance.packages.files import SOURCE_FORMATS, DataFile, render_file, render_package
from sandbox.finance.packages.groups import DETAILS, EXPORT, FULL_PUSHES, GROUPS
from sandbox.finance.packages.tables import Execution, PackageTables
from sandbox.odata.wire import dumps
from sandbox.schema.model import Table
from sandbox.store import WriteUnit, fold
from sandbox.store.tables import REC_ID, VERSION

Row = Mapping[Any, Any]


class ExportError(Exception):
    """An export that fails; the message goes into its execution errors."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export made.

    Attributes:
        group_recid: Record id of the definition group: a group made anew starts anew.
        package: The zip.
        floors: Version above which rows were taken, by entity.
        ceiling: Version up to which rows were seen.
    """

    group_recid: int
    package: bytes
    floors: Mapping[str, int]
    ceiling: int


def find_group(connection: sa.Connection, catalog: Catalog, name: str) -> Row | None:
    """The export definition group of a name, without case."""
    groups = catalog.sql(GROUPS)
    query = sa.select(groups).where(fold(groups.c.Name) == fold(name), groups.c.OperationType == EXPORT)
    return connection.execute(query).mappings().first()


def run_export(catalog: Catalog, tables: PackageTables, execution: Execution) -> Export:
    """Read one snapshot of the database and render it as a package.

    Rows count as changed when their version is above the one that the group last exported for this
    entity and company; deleted rows are in no export [?]. A re-execution begins where the first run
    of its id began.

    Raises:
        ExportError: The group or an entity cannot be exported.
    """
    with catalog.store.read() as connection:
        group = find_group(connection, catalog, execution.group)
        if group is None:
            raise ExportError(f"The definition group '{execution.group}' does not exist.")
        ceiling = connection.execute(sa.select(catalog.store.environment.c.version)).scalar_one()
        floors = _floors(connection, tables, execution, group[REC_ID])
        files = [
            _file(connection, catalog, execution, detail, floors)
            for detail in _details(connection, catalog, group)
        ]
    if not files:
        raise ExportError(f"The definition group '{execution.group}' holds no entities.")
    package = render_package(group["Name"], group["Description"], files)
    taken = {file.entity: floors.get(file.entity.lower(), 0) for file in files}
    return Export(group[REC_ID], package, taken, ceiling)


def commit_export(
    unit: WriteUnit, tables: PackageTables, blobs: BlobStore, execution: Execution, export: Export
) -> None:
    """Keep the package and move the group's change state: from now on these rows are not new."""
    blob_id = blobs.put(unit, export.package)
    for entity, floor in export.floors.items():
        _put_floor(unit.connection, tables, execution.execution_id, entity.lower(), floor)
        _put_change(
            unit.connection, tables, (export.group_recid, entity.lower(), execution.company), export.ceiling
        )
    set_status(unit.connection, tables, execution.execution_id, "Succeeded", blob_id=blob_id)


def set_status(
    connection: sa.Connection,
    tables: PackageTables,
    execution_id: str,
    status: str,
    *,
    errors: Sequence[str] = (),
    blob_id: str = "",
) -> None:
    """Say where an execution stands; errors are kept as the JSON list that clients get."""
    listed = [{"RecordId": "", "Field": "", "ErrorMessage": error} for error in errors]
    values = {"status": status, "errors": dumps(listed).decode(), "blob_id": blob_id}
    mine = tables.execution.c.execution_id == execution_id
    connection.execute(sa.update(tables.execution).where(mine).values(values))


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


def _file(
    connection: sa.Connection, catalog: Catalog, execution: Execution, detail: Row, floors: Mapping[str, int]
) -> DataFile:
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
    floor = 0 if detail["DefaultRefreshType"] in FULL_PUSHES else floors.get(name.lower(), 0)
    content = render_file(
        table, source_format, _changed(connection, catalog, table, execution.company, floor)
    )
    place = (detail["ExecutionUnit"], detail["LevelInExecutionUnit"], detail["SequenceInLevel"])
    return DataFile(table.label, table, source_format, detail["DefaultRefreshType"], place, content)


def _changed(
    connection: sa.Connection, catalog: Catalog, table: Table, company: str, floor: int
) -> Iterator[Row]:
    """Rows above a version: of the company, or of all where companies share the set."""
    sql = catalog.sql(table)
    conditions = [sql.c[VERSION] > floor, *catalog.company_condition(table, company)]
    rows = connection.execution_options(yield_per=5_000).execute(
        sa.select(sql).where(*conditions).order_by(sql.c[REC_ID])
    )
    yield from rows.mappings()


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
