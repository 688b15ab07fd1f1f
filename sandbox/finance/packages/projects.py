"""The definition group that an import leaves behind, with the entities of its package."""

from collections.abc import Iterable

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog
from sandbox.finance.packages.export import find_group
from sandbox.finance.packages.groups import DETAILS, GROUPS, IMPORT
from sandbox.finance.packages.manifest import EntityFile
from sandbox.finance.values import blanks
from sandbox.schema.model import Table
from sandbox.store import WriteUnit, fold
from sandbox.store.tables import REC_ID, REC_VERSION, VERSION


def keep_project(
    unit: WriteUnit, catalog: Catalog, group: str, files: Iterable[EntityFile], *, overwrite: bool
) -> None:
    """Make the definition group where it is missing, and give it the entities of a package.

    Args:
        unit: The transaction.
        catalog: The entity sets.
        group: Name of the definition group.
        files: Its entities.
        overwrite: Whether they take the place of those that it has; else only new ones are added [?].
    """
    details = catalog.sql(DETAILS)
    mine = fold(details.c.DefinitionGroupId) == fold(group)
    if find_group(unit.connection, catalog, group, IMPORT) is None:
        _insert(unit, catalog, GROUPS, {"Name": group, "OperationType": IMPORT, "Description": group})
    if overwrite:
        unit.connection.execute(sa.delete(details).where(mine))
    known = {
        name.lower()
        for name in unit.connection.execute(sa.select(details.c.EntityName).where(mine)).scalars()
    }
    for file in files:
        if file.entity.lower() not in known:
            _insert(unit, catalog, DETAILS, _detail(group, file))


def _detail(group: str, file: EntityFile) -> dict[str, object]:
    unit_number, level, sequence = file.place
    return {
        "DefinitionGroupId": group,
        "EntityName": file.entity,
        "SourceFormat": file.source_format,
        "InputFilePath": file.file,
        "SkipStaging": "Yes" if file.skip_staging else "No",
        "ExecutionUnit": unit_number,
        "LevelInExecutionUnit": level,
        "SequenceInLevel": sequence,
    }


def _insert(unit: WriteUnit, catalog: Catalog, table: Table, values: dict[str, object]) -> None:
    system = {VERSION: unit.next_version(), REC_ID: unit.next_recid(), REC_VERSION: 1}
    unit.connection.execute(sa.insert(catalog.sql(table)).values({**blanks(table), **values, **system}))
