"""Our webhook in Dataverse, as rows of its own tables: an endpoint, steps for each table that a map reads.

All of it is named as ours, so that it is found again: registering twice changes nothing, registering after a
mapping has changed adds, changes and removes steps, and what others have registered stays [D].
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from projops.errors import ConfigurationError
from projops.mapping.model import System, TableMap
from projops.mapping.paths import source_columns, table_of
from projops.signals.endpoint import CONNECTION, HEADER, PATH, Endpoint
from projops.signals.messages import WRITTEN
from projops.signals.sources import tables_read
from projops.systems import quoting
from projops.systems.connection import is_loopback
from projops.systems.dataverse import SERVICE, Dataverse
from projops.systems.decoding import decode_json

NAME = "Project Operations Sync"
_WEBHOOK, _HTTP_HEADER = 8, 5  # contract and type of authentication [D serviceendpoint]
_ASYNCHRONOUS, _POST_OPERATION = 1, 40  # nobody waits for us, and only what is committed is told [D]


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a table that calls our endpoint.

    Attributes:
        message: Create, Update or Delete.
        table: Logical name.
        columns: Logical names, sorted: an update that names none of them is not told; empty for any.
    """

    message: str
    table: str
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{NAME}: {self.message} of {self.table}"

    @property
    def attributes(self) -> str | None:
        """Its columns as Dataverse keeps them."""
        return ",".join(self.columns) or None


@dataclass(frozen=True, slots=True)
class Registration:
    """What of ours is registered.

    Attributes:
        endpoint_id: GUID of the endpoint, or None.
        steps: GUID and attributes of each step, by name.
    """

    endpoint_id: str | None = None
    steps: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """What registering or unregistering did, by names of steps."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def wanted_steps(maps: Iterable[TableMap]) -> dict[str, Step]:
    """Give the steps that maps need, by name: each message of each table that a leg reads.

    An update is told only where it names a column that some leg reads.
    """
    known = list(maps)
    steps = []
    for table in tables_read(known, System.DATAVERSE):
        columns = tuple(sorted(_columns(known, table)))
        steps += [Step(each, table, columns if each == "Update" else ()) for each in sorted(WRITTEN)]
    return {step.name: step for step in steps}


def _is_safe(address: str) -> bool:
    """Say whether our secret may be sent to an address: by https, or within this machine."""
    split = urlsplit(address)
    return split.scheme == "https" or (split.scheme == "http" and is_loopback(split.hostname or ""))


def _columns(maps: Iterable[TableMap], table: str) -> set[str]:
    """The table's own columns that legs read, by the names that a write has for them."""
    return {
        path.partition(".")[0]
        for each in maps
        if each.enabled
        for direction, leg in each.legs.items()
        if direction.source is System.DATAVERSE and table_of(each, System.DATAVERSE).name == table
        for path in source_columns(each, leg)
    }


@dataclass(frozen=True, slots=True)
class Registrar:
    """Registers with one environment.

    Attributes:
        dataverse: Open session to it.
    """

    dataverse: Dataverse

    async def registered(self) -> Registration:
        """Say what of ours is registered."""
        found = await self._rows("serviceendpoints", "serviceendpointid", f"name eq '{NAME}'")
        if not found:
            return Registration()
        endpoint_id = found[0]["serviceendpointid"]
        ours = f"_eventhandler_value eq {endpoint_id} and statecode eq 0"
        select = "sdkmessageprocessingstepid,name,filteringattributes"
        steps = await self._rows("sdkmessageprocessingsteps", select, ours)
        return Registration(
            endpoint_id,
            {row["name"]: (row["sdkmessageprocessingstepid"], row["filteringattributes"]) for row in steps},
        )

    async def register(self, endpoint: Endpoint, wanted: Mapping[str, Step]) -> Changed:
        """Make what is registered what is wanted; the address and the secret are always set anew.

        Raises:
            ConfigurationError: Nobody has said where we are reached.
            ProjOpsError: Dataverse refuses it, for want of a privilege say.
        """
        if not _is_safe(endpoint.address):
            raise ConfigurationError(
                f"Connection {CONNECTION} names no https address at which Dataverse reaches Airflow.",
                remedy="Put the address of Airflow's API server into its host.",
                connection=CONNECTION,
            )
        found = await self.registered()
        handler = await self._put_endpoint(found.endpoint_id, endpoint)
        ids = await self._filters({step.table for step in wanted.values()})
        added = [step for name, step in wanted.items() if name not in found.steps]
        for step in added:
            await self._add(step, handler, ids)
        changed = [
            name
            for name, (_, attributes) in found.steps.items()
            if name in wanted and attributes != wanted[name].attributes
        ]
        for name in changed:
            body = {"filteringattributes": wanted[name].attributes}
            await self._write("PATCH", f"sdkmessageprocessingsteps({found.steps[name][0]})", body)
        removed = tuple(name for name in found.steps if name not in wanted)
        for name in removed:
            await self._write("DELETE", f"sdkmessageprocessingsteps({found.steps[name][0]})")
        return Changed(tuple(step.name for step in added), tuple(changed), removed)

    async def unregister(self) -> Changed:
        """Remove what is ours."""
        found = await self.registered()
        for step_id, _ in found.steps.values():
            await self._write("DELETE", f"sdkmessageprocessingsteps({step_id})")
        if found.endpoint_id is not None:
            await self._write("DELETE", f"serviceendpoints({found.endpoint_id})")
        return Changed(removed=tuple(found.steps))

    async def _put_endpoint(self, endpoint_id: str | None, endpoint: Endpoint) -> str:
        setting = f"<setting name={quoteattr(HEADER)} value={quoteattr(endpoint.secret)}/>"
        body = {
            "url": f"{endpoint.address}{PATH}/dataverse",
            "authtype": _HTTP_HEADER,  # a header stands in no web server's log, as an address does
            "authvalue": f"<settings>{setting}</settings>",
        }
        if endpoint_id is not None:
            await self._write("PATCH", f"serviceendpoints({endpoint_id})", body)
            return endpoint_id
        await self._write("POST", "serviceendpoints", {"name": NAME, "contract": _WEBHOOK, **body})
        made = (await self.registered()).endpoint_id
        if made is None:
            raise ConfigurationError(
                "Dataverse took our endpoint and does not show it.",
                remedy="Give the application user the privilege to read service endpoints.",
            )
        return made

    async def _filters(self, tables: set[str]) -> dict[tuple[str, str], tuple[str, str]]:
        """The ids of message and filter of each message of each table."""
        if not tables:
            return {}
        names = quoting.any_of("sdkmessageid/name", sorted(WRITTEN))
        where = f"({quoting.any_of('primaryobjecttypecode', sorted(tables))}) and ({names})"
        select = "sdkmessagefilterid,primaryobjecttypecode"
        rows = await self._rows("sdkmessagefilters", select, where, expand="sdkmessageid($select=name)")
        return {
            (row["sdkmessageid"]["name"], row["primaryobjecttypecode"]): (
                row["sdkmessageid"]["sdkmessageid"],
                row["sdkmessagefilterid"],
            )
            for row in rows
        }

    async def _add(self, step: Step, handler: str, ids: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        if (step.message, step.table) not in ids:
            raise ConfigurationError(
                f"Dataverse knows no message {step.message} of {step.table}.",
                remedy="Check the table's name in the mapping.",
            )
        message, chosen = ids[step.message, step.table]
        body = {
            "name": step.name,
            "mode": _ASYNCHRONOUS,
            "stage": _POST_OPERATION,
            "rank": 1,
            "asyncautodelete": True,
            "filteringattributes": step.attributes,
            "eventhandler_serviceendpoint@odata.bind": f"serviceendpoints({handler})",
            "sdkmessageid@odata.bind": f"sdkmessages({message})",
            "sdkmessagefilterid@odata.bind": f"sdkmessagefilters({chosen})",
        }
        await self._write("POST", "sdkmessageprocessingsteps", body)

    async def _rows(
        self, entity_set: str, select: str, where: str, expand: str | None = None
    ) -> list[dict[str, Any]]:
        what = f"reading {entity_set}"
        options = {"select": select, "filter": where} | ({"expand": expand} if expand else {})
        answer = await self.dataverse.session.read(
            f"{SERVICE}{entity_set}{quoting.query(**options)}", what=what
        )
        rows: list[dict[str, Any]] = decode_json(answer.body, what)["value"]
        return rows

    async def _write(self, method: str, address: str, body: Mapping[str, object] | None = None) -> None:
        what = f"registering at {address.partition('(')[0]}"
        headers = {"If-Match": "*"} if method == "PATCH" else None
        answer = await self.dataverse.session.request(
            method,
            f"{SERVICE}{address}",
            what=what,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
            kind="write",
        )
        self.dataverse.session.checked(answer, what)
