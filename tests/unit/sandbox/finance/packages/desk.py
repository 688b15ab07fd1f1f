"""Data management without HTTP: packages as values, and the actions over a store."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog
from sandbox.finance.packages.actions import PackageActions
from sandbox.finance.packages.blobs import WRITE, BlobStore
from sandbox.finance.packages.desk import ImportDesk
from sandbox.finance.packages.groups import SETS
from sandbox.finance.packages.manifest import EntityFile, Manifest, render_header, render_manifest
from sandbox.finance.packages.running import ExecutionRunner
from sandbox.finance.packages.tables import PackageTables
from sandbox.finance.request import DataRequest
from sandbox.odata.sql import register_functions
from sandbox.rules.hooks import read_rulebook
from sandbox.stats import Stats
from sandbox.store import Store

REQUEST = DataRequest("POST", "http://host", "/data")


@dataclass(frozen=True)
class Desk:
    """Data management over one store; with `idle` nothing is run but what a test runs itself."""

    store: Store
    tables: PackageTables
    catalog: Catalog
    blobs: BlobStore
    actions: PackageActions
    runner: ExecutionRunner
    stats: Stats

    def act(self, action: str, **parameters: object) -> object:
        return self.actions.by_name[action](REQUEST, parameters)

    def upload(self, content: bytes) -> str:
        blob_id = self.blobs.keep("package.zip", "application/zip", io.BytesIO(content))
        return self.blobs.link("http://host", blob_id, "package.zip", WRITE)

    def order(
        self, content: bytes, execution: str = "i1", company: str = "USPM", **parameters: object
    ) -> str:
        given = {
            "definitionGroupId": "g",
            "executionId": execution,
            "legalEntityId": company,
            "execute": True,
        }
        return str(self.act("ImportFromPackage", packageUrl=self.upload(content), **(given | parameters)))

    def status(self, execution: str = "i1") -> object:
        return self.act("GetExecutionSummaryStatus", executionId=execution)

    def errors(self, execution: str = "i1") -> list[dict[str, str]]:
        listed: list[dict[str, str]] = json.loads(str(self.act("GetExecutionErrors", executionId=execution)))
        return listed

    def rows(self, entity_set: str) -> list[dict[str, object]]:
        sql = self.catalog.sql(self.catalog.sets[entity_set])
        with self.store.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(sql).order_by(sql.c.recid)).mappings()]


def open_desk(store: Store) -> Desk:
    register_functions(store.engine)
    tables = PackageTables(store)
    tables.forget_before_reset()
    sets = {**store.finance, **{table.name: table for table in SETS}}
    catalog = Catalog(store, sets, tables.definitions, None, read_rulebook("sandbox.finance.rules"))
    blobs = BlobStore(store, tables)
    stats = Stats()
    parts = ImportDesk(catalog, tables, blobs, stats)
    runner = ExecutionRunner(parts)
    return Desk(store, tables, catalog, blobs, PackageActions(parts, runner), runner, stats)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def entity_file(entity: str, columns: Sequence[str], **values: Any) -> EntityFile:
    mapping = tuple((column, column) for column in columns)
    return replace(EntityFile(entity, f"{entity}.csv", "CSV-Unicode", mapping), **values)


def package(files: Mapping[EntityFile, bytes], group: str = "g") -> bytes:
    content = io.BytesIO()
    manifest = Manifest(group, "", tuple(files))
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("PackageHeader.xml", render_header(manifest))
        zipped.writestr("Manifest.xml", render_manifest(manifest))
        for file, data in files.items():
            zipped.writestr(file.file, data)
    return content.getvalue()


def customers(
    rows: Iterable[Sequence[str]], columns: Sequence[str] = ("CUSTOMERACCOUNT", "ORGANIZATIONNAME")
) -> bytes:
    return package({entity_file("Customers V3", columns): csv_text(columns, rows).encode("utf-16")})
