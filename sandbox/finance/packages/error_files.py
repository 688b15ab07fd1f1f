"""Files of the records that failed in an import, in the format in which they came (protocol 2.2 [D])."""

from tempfile import TemporaryFile

import sqlalchemy as sa

from sandbox.finance.packages.desk import ImportDesk
from sandbox.finance.packages.executions import STAGING, failed_records, job_details
from sandbox.finance.packages.export import entity_table
from sandbox.finance.packages.files import Records, element_name, file_suffix, render


def make_error_file(desk: ImportDesk, execution_id: str, entity: str, stage: str) -> None:
    """Write the records of an entity that failed at a stage into a blob, unless none did or it is there.

    Staging failures are the rows as they were sent, target failures their keys.
    """
    step = desk.tables.step
    mine = (step.c.execution_id == execution_id, step.c.entity == entity)
    column = step.c.staging_blob if stage == STAGING else step.c.keys_blob
    with desk.catalog.store.read() as connection:
        found = connection.execute(sa.select(step.c.position, column).where(*mine)).first()
        if found is None or found[1]:
            return
        records = failed_records(connection, desk.tables, execution_id, found[0], stage)
        details = job_details(connection, desk.tables, execution_id)
    table = entity_table(desk.catalog, entity)
    source_format = next((it["SourceFormat"] for it in details if it["EntityName"] == entity), None)
    if not records or table is None or source_format is None:
        return
    columns = list(records[0])
    rows = ([record.get(name, "") for name in columns] for record in records)
    suffix = "_error" if stage == STAGING else "_errorkeys"
    with TemporaryFile() as file:
        for piece in render(source_format, Records(element_name(table), columns, rows)):
            file.write(piece)
        file.seek(0)
        name = f"{entity}{suffix}{file_suffix(source_format)}"
        blob_id = desk.blobs.keep(name, "application/octet-stream", file)
    with desk.catalog.store.write() as unit:
        unit.connection.execute(sa.update(step).where(*mine).values({column.name: blob_id}))
