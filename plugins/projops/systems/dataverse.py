"""Reading the Dataverse Web API: identity, change tracking, rows by id and by alternate key."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from projops.errors import ProtocolError
from projops.mapping.model import System
from projops.systems import paging, quoting
from projops.systems.batch import Operation
from projops.systems.decoding import Page, decode_json, decode_page, table_of
from projops.systems.exchange import Exchange
from projops.systems.properties import Property
from projops.systems.session import ODataSession

SERVICE = "/api/data/v9.2/"
PAGE_SIZE = 5000  # default and maximum [D]
_IDS_A_REQUEST = 200
_KEYS_A_REQUEST = 50
_REQUESTS_A_BATCH = 5


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A Dataverse table as this package needs it.

    Attributes:
        name: Entity set, such as accounts.
        entity_type: Logical name, such as account.
        primary_id: GUID column, such as accountid.
    """

    name: str
    entity_type: str
    primary_id: str


@dataclass(frozen=True, slots=True)
class Dataverse:
    """Reads one Dataverse environment.

    Attributes:
        session: Open session to it.
    """

    session: ODataSession

    async def environment_id(self) -> str:
        """Give the organization's id (WhoAmI), lower case: what state is bound to."""
        what = "asking who we are"
        content = decode_json((await self.session.read(f"{SERVICE}WhoAmI", what=what)).body, what)
        if not content.get("OrganizationId"):
            raise ProtocolError("WhoAmI names no organization.", remedy="Check the connection's host.")
        return str(content["OrganizationId"]).lower()

    async def changes(
        self,
        table: EntitySet,
        properties: Sequence[Property],
        delta_link: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncIterator[Page]:
        """Read all rows, or what has changed since a delta link, page by page.

        The last page carries the next delta link. Rows may come twice; filters and expands are not
        allowed here [D].

        Raises:
            WatermarkExpiredError: The delta token is too old (0x80044352).
            ProtocolError: A link repeats or leads elsewhere, or the last page has no delta link.
        """
        what = f"reading changes of {table.name}"
        first = delta_link or self._list_url(table, properties, None)
        decode = self._decoder(table, properties, what)
        headers = {"Prefer": f"odata.track-changes,odata.maxpagesize={page_size}"}
        page = None
        async for page in paging.pages(self.session, first, decode, what, headers):
            yield page
        if page is None or page.delta_link is None:
            raise ProtocolError(
                f"The last page of {table.name} has no delta link.",
                remedy="Enable change tracking for the table.",
            )

    async def rows(
        self,
        table: EntitySet,
        properties: Sequence[Property],
        where: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncIterator[Page]:
        """Read rows page by page, without change tracking.

        Args:
            table: What to read.
            properties: Columns.
            where: OData filter, not yet encoded (`quoting` writes them).
            page_size: Rows a page.
        """
        what = f"reading {table.name}"
        decode = self._decoder(table, properties, what)
        headers = {"Prefer": f"odata.maxpagesize={page_size}"}
        first = self._list_url(table, properties, where)
        async for page in paging.pages(self.session, first, decode, what, headers):
            yield page

    async def by_ids(
        self, table: EntitySet, properties: Sequence[Property], ids: Sequence[str]
    ) -> tuple[pa.Table, tuple[str, ...]]:
        """Read rows by GUID.

        Returns:
            The rows found, in any order, columns as of `Page.batch`; and the ids that are not there.
        """
        wanted = list(dict.fromkeys(each.lower() for each in ids))
        filters = [
            quoting.guid_in(table.primary_id, wanted[start : start + _IDS_A_REQUEST])
            for start in range(0, len(wanted), _IDS_A_REQUEST)
        ]
        found = await self.matching(table, properties, filters, f"reading {table.name} by id")
        there = set(found.column("_id").to_pylist())
        return found, tuple(each for each in wanted if each not in there)

    async def by_keys(
        self,
        table: EntitySet,
        properties: Sequence[Property],
        keys: Sequence[Property],
        values: Sequence[Sequence[object]],
    ) -> pa.Table:
        """Read rows by alternate key, or by any columns.

        Args:
            table: What to read.
            properties: Columns to read; the key's columns where the caller compares them.
            keys: Key columns; a dotted path is a navigation path.
            values: A key a row; lookups as GUIDs.

        Returns:
            The rows found, in any order; texts are compared without regard to case.
        """
        filters = [
            quoting.key_filter(System.DATAVERSE, keys, values[start : start + _KEYS_A_REQUEST])
            for start in range(0, len(values), _KEYS_A_REQUEST)
        ]
        return await self.matching(table, properties, filters, f"reading {table.name} by key")

    async def matching(
        self, table: EntitySet, properties: Sequence[Property], filters: Sequence[str], what: str
    ) -> pa.Table:
        """Read what any of the filters finds; in $batch, where addresses may be long (64 KB [D]).

        Args:
            table: What to read.
            properties: Columns.
            filters: OData filters, not yet encoded (`quoting` writes them).
            what: For messages.

        Returns:
            The rows found, in any order; one that several filters find comes several times.
        """
        base = self.session.connection.base_url
        operations = [Operation("GET", base + self._list_url(table, properties, where)) for where in filters]
        exchange = Exchange(self.session, f"{SERVICE}$batch", what, "read", True, _REQUESTS_A_BATCH)
        decode = self._decoder(table, properties, what)
        batches: list[pa.RecordBatch] = []
        for result in await exchange.run(operations):
            page = decode(exchange.success(result).body)
            batches.append(page.batch)
            if page.next_link is not None:
                rest = paging.pages(self.session, self.session.local(page.next_link), decode, what)
                batches += [page.batch async for page in rest]
        return table_of(batches, System.DATAVERSE, properties)

    def _decoder(self, table: EntitySet, properties: Sequence[Property], what: str) -> paging.Decoder:
        return partial(
            decode_page, System.DATAVERSE, properties=properties, what=what, primary_id=table.primary_id
        )

    @staticmethod
    def _list_url(table: EntitySet, properties: Sequence[Property], where: str | None) -> str:
        select = dict.fromkeys((table.primary_id, *(column.wire_name for column in properties)))
        return f"{SERVICE}{table.name}{quoting.query(select=','.join(select), filter=where)}"
