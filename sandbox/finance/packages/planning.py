"""What a package wants to be done, checked against the environment before anything is taken on."""

import zipfile

from sandbox.finance.catalog import READ_ONLY_SETS, Catalog
from sandbox.finance.packages.export import entity_table
from sandbox.finance.packages.manifest import EntityFile, Manifest
from sandbox.finance.packages.staging import Step, plan_step
from sandbox.finance.packages.unpacking import PackageError, manifest_of


def plan_import(catalog: Catalog, package: zipfile.ZipFile, company: str) -> tuple[Manifest, list[Step]]:
    """Check a package against the environment; return its entities in the order in which they run.

    Raises:
        PackageError: The package cannot be taken, or names an entity that is not here [L].
    """
    manifest = manifest_of(package)
    if len({it.entity.lower() for it in manifest.entities}) < len(manifest.entities):
        raise PackageError("The manifest names an entity twice.")
    files = sorted((it for it in manifest.entities if not it.disabled), key=lambda it: it.place)
    return manifest, [
        _planned(catalog, package, *numbered, company) for numbered in enumerate(files, start=1)
    ]


def _planned(
    catalog: Catalog, package: zipfile.ZipFile, position: int, file: EntityFile, company: str
) -> Step:
    table = entity_table(catalog, file.entity)
    if table is None:
        raise PackageError(f"Entity {file.entity[:100]} does not exist in the target environment.")
    if table.name in READ_ONLY_SETS:
        raise PackageError(f"Entity {file.entity} is read-only: nothing can be imported into it.")
    return plan_step(package, position, table, file, company)
