"""Finance OData: lists over companies, rows by key, and writes of one changeset a row."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import urlsplit

import pyarrow as pa

from projops.mapping.model import System
from projops.systems import failures, outcomes, paging, quoting
from projops.systems.batch import Operation, Result
from projops.systems.decoding import Page, decode_json, decode_page, record_batch, table_of
from projops.systems.exchange import Exchange
from projops.systems.failures import Kind
from projops.systems.outcomes import RowOutcome, Status
from projops.systems.properties import Property
from projops.systems.session import ODataSession

DATA = "/data/"
_KEYS_A_REQUEST = 30
_REQUESTS_A_BATCH = 10
_ROWS_A_BATCH = 100
_CHANGESETS_A_BATCH = 100
_EVERYWHERE = "cross-company=true"  # else only the default company of the integration user [D]


class Verb(StrEnum):
    """What a write does; Finance has no upsert [D]."""

    CREATE = "POST"
    UPDATE = "PATCH"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One row to write.

    Attributes:
        verb: Create, update or delete.
        key: Whole entity key as `quoting.key_predicate` writes it; "" for a create.
        body: JSON object; for a create with the key's fields. None for a delete.
    """

    verb: Verb
    key: str = ""
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Finance:
    """Reads and writes one Finance environment.

    Attributes:
        session: Open session; for writes its `deadline` should be the lease's.
    """

    session: ODataSession

    def environment_id(self) -> str:
        """Give what identifies the environment: its host, since it tells no id of its own over OData.

        A copy of an environment has another host.
        """
        return urlsplit(self.session.connection.base_url).hostname or self.session.connection.base_url

    async def pages(
        self,
        entity_set: str,
        properties: Sequence[Property],
        where: str | None = None,
        order_by: Sequence[str] = (),
    ) -> AsyncGenerator[Page, None]:
        """Read rows of all companies page by page (10,000 rows [D]).

        Args:
            entity_set: What to read.
            properties: Columns.
            where: OData filter, not yet encoded (`quoting` writes them).
            order_by: Fields to order by; the entity key keeps pages apart, since links skip rows [L].

        Yields:
            Pages with null for "", 1900-01-01 and the zero GUID; `_id` is null.
        """
        what = f"reading {entity_set}"
        decode = partial(decode_page, System.FINANCE, properties=properties, what=what)
        first = _list_url(entity_set, properties, where, order_by)
        async for page in paging.pages(self.session, first, decode, what):
            yield page

    async def by_keys(
        self,
        entity_set: str,
        properties: Sequence[Property],
        keys: Sequence[Property],
        values: Sequence[Sequence[object]],
    ) -> pa.Table:
        """Read rows by key, or by any fields.

        A text with `*` would be a wildcard in a filter [D]: such rows are read by key, so `keys` must
        be the whole entity key then.

        Returns:
            The rows found, in any order. More than asked for may come: the caller compares keys.
        """
        what = f"reading {entity_set} by key"
        plain = [row for row in values if not _has_wildcard(row)]
        special = [row for row in values if _has_wildcard(row)]
        filters = [
            quoting.key_filter(System.FINANCE, keys, plain[start : start + _KEYS_A_REQUEST])
            for start in range(0, len(plain), _KEYS_A_REQUEST)
        ]
        addresses = [_list_url(entity_set, properties, where) for where in filters]
        exchange = self._reading(what, _REQUESTS_A_BATCH)
        results = await exchange.run(self._gets(addresses))
        decode = partial(decode_page, System.FINANCE, properties=properties, what=what)
        batches: list[pa.RecordBatch] = []
        for result in results:
            page = decode(exchange.success(result).body)
            batches.append(page.batch)
            if page.next_link is not None:
                rest = paging.pages(self.session, self.session.local(page.next_link), decode, what)
                batches += [page.batch async for page in rest]
        found = table_of(batches, System.FINANCE, properties)
        return pa.concat_tables([found, await self.by_whole_keys(entity_set, properties, keys, special)])

    async def by_whole_keys(
        self,
        entity_set: str,
        properties: Sequence[Property],
        keys: Sequence[Property],
        values: Sequence[Sequence[object]],
    ) -> pa.Table:
        """Read rows each by its whole key, many with one request; only what answers 404 is left out."""
        exchange, results = await self._by_key(entity_set, keys, values)
        there = [exchange.success(each) for each in results if not _is_absent(exchange, each)]
        rows = [decode_json(each.body, exchange.what) for each in there]
        batches = [record_batch(System.FINANCE, rows, properties, exchange.what)] if rows else []
        return table_of(batches, System.FINANCE, properties)

    async def are_there(
        self, entity_set: str, keys: Sequence[Property], values: Sequence[Sequence[object]]
    ) -> list[bool]:
        """Say of each whole key whether its row is there, many with one request; only a 404 says no."""
        exchange, results = await self._by_key(entity_set, keys, values)
        absent = [_is_absent(exchange, each) for each in results]
        for each in (each for each, gone in zip(results, absent, strict=True) if not gone):
            exchange.success(each)
        return [not gone for gone in absent]

    async def _by_key(
        self, entity_set: str, keys: Sequence[Property], values: Sequence[Sequence[object]]
    ) -> tuple[Exchange, Sequence[Result | None]]:
        """Ask for rows each by its whole key."""
        exchange = self._reading(f"reading {entity_set} by key", _ROWS_A_BATCH)
        predicates = (quoting.key_predicate(System.FINANCE, keys, row) for row in values)
        return exchange, await exchange.run(self._gets(_row_url(entity_set, each) for each in predicates))

    def _reading(self, what: str, at_once: int) -> Exchange:
        return Exchange(self.session, f"{DATA}$batch", what, "read", True, at_once)

    def _gets(self, addresses: Iterable[str]) -> list[Operation]:
        return [Operation("GET", self._absolute(address)) for address in addresses]

    async def write_each(self, entity_set: str, rows: Sequence[RowWrite]) -> list[RowOutcome]:
        """Write rows, each in a changeset of its own, in batches side by side.

        Args:
            entity_set: Where to.
            rows: In any companies.

        Returns:
            An outcome for each row, in order. `unknown` where no answer came: a create may have
            happened, so the row is read by key before it is sent again.

        Raises:
            ProjOpsError: What concerns all rows: access, an unknown field or set.
        """
        what = f"writing {len(rows)} rows of {entity_set}"
        repeatable = all(row.verb is not Verb.CREATE for row in rows)
        exchange = Exchange(self.session, f"{DATA}$batch", what, "write", repeatable, _CHANGESETS_A_BATCH)
        results = await exchange.run([self._operation(entity_set, row) for row in rows])
        return [self._outcome(exchange, index, result) for index, result in enumerate(results)]

    def _operation(self, entity_set: str, row: RowWrite) -> Operation:
        return Operation(row.verb, self._absolute(_row_url(entity_set, row.key)), row.body)

    def _outcome(self, exchange: Exchange, index: int, result: Result | None) -> RowOutcome:
        if result is None:
            return outcomes.unknown(index)
        failure = exchange.failure(result)
        if failure is None:
            return RowOutcome(index, Status.OK, etag=result.headers.get("ETag"))
        outcome = outcomes.of_failure(index, failure)
        if outcome is None:
            raise failures.error(failure, self.session.connection.name, exchange.what)
        return outcome

    def _absolute(self, address: str) -> str:
        return self.session.connection.base_url + address


def _list_url(
    entity_set: str, properties: Sequence[Property], where: str | None, order_by: Sequence[str] = ()
) -> str:
    select = ",".join(dict.fromkeys(column.name for column in properties))
    options = quoting.query(select=select, filter=where, orderby=",".join(order_by))
    return f"{DATA}{entity_set}{options}{'&' if options else '?'}{_EVERYWHERE}"


def _row_url(entity_set: str, key: str) -> str:
    return f"{DATA}{entity_set}{key}?{_EVERYWHERE}"


def _has_wildcard(values: Sequence[object]) -> bool:
    return any(isinstance(value, str) and "*" in value for value in values)


def _is_absent(exchange: Exchange, result: Result | None) -> bool:
    failure = None if result is None else exchange.failure(result)
    return failure is not None and failure.kind is Kind.NOT_FOUND
