"""Datasets as lineage names them: tables of both systems, staged frames, tables of the state, reports.

Names follow OpenLineage's conventions: a namespace says where (`dataverse://org.crm4.dynamics.com`,
`file`, `s3://bucket`), a name says what there. A staged frame is one dataset a leg and stage; its batches
are its versions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from projops.mapping.catalog import Column, Table
from projops.mapping.model import Leg, TableMap
from projops.mapping.paths import key_paths, source_column, source_columns, target_column


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a dataset.

    Attributes:
        name: Column, or path.
        type: What it holds, in the catalog's words: `string(20)`, `decimal`, `option`.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """What lineage runs between.

    Attributes:
        namespace: Where it is.
        name: Its name there.
        title: What it is, for people.
        uri: Its source as an address, without credentials.
        fields: Its columns; none where they do not matter.
        version: Version, or None where it has none.
    """

    namespace: str
    name: str
    title: str
    uri: str
    fields: tuple[Field, ...] = ()
    version: str | None = None


def table_dataset(table: Table, base_url: str) -> Dataset:
    """A Dataverse table or Finance entity set.

    Args:
        table: The table, with its columns.
        base_url: Where its system answers.
    """
    place = urlsplit(base_url)
    host = place.netloc.rpartition("@")[2]
    fields = tuple(_field(column.name, column) for column in table.columns.values())
    return Dataset(f"{table.system}://{host}", table.name, table.label, f"{place.scheme}://{host}", fields)


def staged_dataset(root: str, table_map: TableMap, leg: Leg, stage: str, batch: int | None) -> Dataset:
    """What a stage of a leg has staged: source paths before the mapping, target paths behind it.

    Args:
        root: Root of the staging area as a URL, `file:///…`, `s3://bucket/…`.
        table_map: The map.
        leg: The leg.
        stage: extract, validate or transform.
        batch: Number of the batch: the version.
    """
    return Dataset(
        *_stored(f"{root}/{table_map.map}/{leg.direction}/{stage}"),
        f"{table_map.title}: rows after {stage}",
        root,
        _staged_fields(table_map, leg, stage),
        str(batch) if batch is not None else None,
    )


def state_dataset(state_url: str, table: str, title: str) -> Dataset:
    """A table of the state database; of its address the credentials are left out.

    Args:
        state_url: SQLAlchemy's URL of the database.
        table: Name of the table.
        title: What it is, for people.
    """
    place = urlsplit(state_url)
    scheme = place.scheme.partition("+")[0]
    if not place.netloc:  # a file of SQLite
        return Dataset(scheme, f"{place.path.removeprefix('/')}.{table}", title, f"{scheme}://{place.path}")
    host = place.hostname or ""
    namespace = f"{scheme.removesuffix('ql')}://{host}:{place.port or 5432}"
    return Dataset(namespace, f"{place.path.strip('/')}.public.{table}", title, f"{namespace}{place.path}")


def report_dataset(uri: str, title: str, version: str) -> Dataset:
    """A report or file that a run has written.

    Args:
        uri: Its address, as a URL.
        title: What it is, for people.
        version: Which of them.
    """
    place = urlsplit(uri)
    if place.netloc:
        return Dataset(
            f"{place.scheme}://{place.netloc}", place.path.lstrip("/"), title, uri, version=version
        )
    return Dataset(place.scheme, place.path, title, uri, version=version)


def _stored(uri: str) -> tuple[str, str]:
    """Namespace and name of a file or folder: of a store, or of the machine that runs the task."""
    place = urlsplit(uri)
    if place.netloc:
        return f"{place.scheme}://{place.netloc}", place.path.lstrip("/")
    return place.scheme, place.path


def _staged_fields(table_map: TableMap, leg: Leg, stage: str) -> tuple[Field, ...]:
    if stage == "transform":
        paths: Iterable[str] = (
            *key_paths(table_map, leg.direction.target),
            *(rule.target for rule in leg.fields),
        )
        return tuple(_field(path, target_column(table_map, leg, path)) for path in paths)
    return tuple(_field(path, source_column(table_map, leg, path)) for path in source_columns(table_map, leg))


def _field(name: str, column: Column) -> Field:
    size = f"({column.length})" if column.length is not None and column.is_text else ""
    return Field(name, f"{column.type}{size}")
