"""Which webhooks are registered for which messages, as the tables of Dataverse keep it.

A webhook is a `serviceendpoint` with the contract 8; a `sdkmessageprocessingstep` ties it to a message of
a table, and its `sdkmessageprocessingstepimage` rows say what of the row is sent along [D].
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from threading import Lock
from typing import Any

import sqlalchemy as sa

from sandbox.store import Store
from sandbox.store.past import lagging

WEBHOOK = 8
REGISTRATION = frozenset({"serviceendpoint", "sdkmessageprocessingstep", "sdkmessageprocessingstepimage"})
# What the platform writes about steps and jobs calls no step: a step for all tables would call itself.
SILENT = REGISTRATION | {"asyncoperation", "bulkdeleteoperation", "bulkdeletefailure"}


class Stage(IntEnum):
    """Where in a write a step runs."""

    PRE_VALIDATION = 10
    PRE_OPERATION = 20
    POST_OPERATION = 40


class Auth(IntEnum):
    """How a webhook's receiver knows that a request is legitimate."""

    WEBHOOK_KEY = 4
    HTTP_HEADER = 5
    QUERY_STRING = 6


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook posts to.

    Attributes:
        endpoint_id: GUID of the `serviceendpoint`.
        url: Address.
        auth: How the request is made legitimate, None for not at all.
        secret: The key itself, or `<settings><setting name="" value=""/></settings>`.
    """

    endpoint_id: str
    url: str
    auth: int | None
    secret: str


@dataclass(frozen=True, slots=True)
class Image:
    """Columns of a row, before or after the write, that are sent along.

    Attributes:
        alias: Its key in the message.
        before: Whether it is among the images of before the write.
        after: Whether it is among those of after it.
        columns: Logical names, empty for all.
    """

    alias: str
    before: bool
    after: bool
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """One webhook registered for one message.

    Attributes:
        step_id: GUID of the `sdkmessageprocessingstep`.
        name: Its name.
        message: Create, Update or Delete; others never happen here.
        table: Logical name, "" for all tables.
        columns: An update calls it only if it names one of these; empty for any column.
        stage: Where in the write.
        asynchronous: Whether the write waits for it.
        rank: Steps of one stage run in this order.
        delete_job: Whether its job is deleted once it has succeeded.
        endpoint: Whom it calls.
        images: What it sends along.
    """

    step_id: str
    name: str
    message: str
    table: str
    columns: frozenset[str]
    stage: int
    asynchronous: bool
    rank: int
    delete_job: bool
    endpoint: Endpoint
    images: tuple[Image, ...]

    def concerns(self, message: str, table: str, columns: Container[str]) -> bool:
        """Whether such a write calls it; `columns` are those that an update names."""
        return (
            self.message == message
            and self.table in {"", table}
            and (message != "Update" or not self.columns or any(name in columns for name in self.columns))
        )


class StepRegistry:
    """The steps that are enabled, read from the database once until somebody changes them."""

    def __init__(self, store: Store) -> None:
        """Read from `store` when first asked."""
        self._store = store
        self._lock = Lock()
        self._steps: tuple[Step, ...] | None = None

    def steps(self) -> tuple[Step, ...]:
        """Return all enabled steps by rank."""
        with self._lock:
            if self._steps is None:
                self._steps = tuple(sorted(_read(self._store), key=lambda step: (step.rank, step.step_id)))
            return self._steps

    def forget(self) -> None:
        """Read anew when next asked: rows of registration have changed."""
        with self._lock:
            self._steps = None

    def due(self, message: str, table: str, columns: Iterable[str]) -> list[Step]:
        """Return the steps that a write calls, in order."""
        if table in SILENT:
            return []
        named = frozenset(columns)
        return [step for step in self.steps() if step.concerns(message, table, named)]

    def step(self, step_id: str) -> Step | None:
        """Return an enabled step, None where there is none with this id."""
        return next((step for step in self.steps() if step.step_id == step_id), None)


def _read(store: Store) -> list[Step]:
    def rows(connection: sa.Connection, table: str, **where: object) -> list[Mapping[str, Any]]:
        sql = store.sql(store.dataverse[table])
        query = sa.select(sql).where(*(sql.c[name] == value for name, value in where.items()))
        return [dict(row) for row in connection.execute(query).mappings()]

    # They are kept for requests to come: a stale read of the one that asks first is not theirs.
    with lagging(0), store.read() as connection:
        found = rows(connection, "sdkmessageprocessingstep", statecode=0)
        if not found:
            return []
        endpoints = {
            row["serviceendpointid"]: _endpoint(row)
            for row in rows(connection, "serviceendpoint", contract=WEBHOOK)
        }
        messages = {row["sdkmessageid"]: row["name"] for row in rows(connection, "sdkmessage")}
        filters = {
            row["sdkmessagefilterid"]: row["primaryobjecttypecode"]
            for row in rows(connection, "sdkmessagefilter")
        }
        images = rows(connection, "sdkmessageprocessingstepimage")
    return [
        _step(row, endpoints[row["eventhandler"]], messages, filters, images)
        for row in found
        if row["eventhandler"] in endpoints
    ]


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(row["serviceendpointid"], row["url"] or "", row["authtype"], row["authvalue"] or "")


def _step(
    row: Mapping[str, Any],
    endpoint: Endpoint,
    messages: Mapping[str, str],
    filters: Mapping[str, str],
    images: Iterable[Mapping[str, Any]],
) -> Step:
    step_id = row["sdkmessageprocessingstepid"]
    table = filters.get(row["sdkmessagefilterid"] or "") or ""
    return Step(
        step_id=step_id,
        name=row["name"] or "",
        message=messages.get(row["sdkmessageid"], ""),
        table="" if table == "none" else table,
        columns=_names(row["filteringattributes"]),
        stage=row["stage"],
        asynchronous=row["mode"] == 1,
        rank=row["rank"] or 0,
        delete_job=bool(row["asyncautodelete"]),
        endpoint=endpoint,
        images=tuple(_image(image) for image in images if image["sdkmessageprocessingstepid"] == step_id),
    )


def _image(row: Mapping[str, Any]) -> Image:
    kind = row["imagetype"]
    return Image(row["entityalias"], kind in {0, 2}, kind in {1, 2}, _names(row["attributes"]))


def _names(text: str | None) -> frozenset[str]:
    return frozenset(name for part in (text or "").lower().split(",") if (name := part.strip()))
