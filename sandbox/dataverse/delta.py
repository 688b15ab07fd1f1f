"""Tracked reads: the baseline with its delta link, and the changes since (protocol 1.2)."""

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.query_options import refuse_options
from sandbox.dataverse.reading import COUNT_LIMIT, Reading
from sandbox.dataverse.rendering import Row, Shape, shape_of
from sandbox.dataverse.skiptoken import Cookie, read_cookie, render_cookie
from sandbox.dataverse.tracking import (
    DeltaToken,
    check_options,
    check_token,
    encoded,
    present_token,
    read_token,
)
from sandbox.dataverse.window import PAGE_SIZE
from sandbox.dataverse.wire import Response, json_response
from sandbox.odata.options import parse_select
from sandbox.store.tables import VERSION, table_name

_Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class TrackedReading:
    """A read with change tracking.

    Attributes:
        reading: The request and its snapshot.
        cookie: Where the page begins.
    """

    reading: Reading
    cookie: Cookie

    def page(self) -> Response:
        """Answer a page of the baseline, or of the changes where the request carries a token.

        The token of a baseline is taken before its first page and that of a delta with its first page,
        so that a change made while a client pages is sent again rather than missed (at least once).

        Raises:
            ApiError: When an option is not allowed, or the token is malformed or expired.
        """
        options = self.reading.request.options
        self._check()
        since = self._since()
        until = self._until(since)
        size = self.reading.request.preferences.page_size or PAGE_SIZE
        shape = shape_of(self.reading.entity, parse_select(options.get("$select", "")))
        rows, last = (
            self._baseline(shape, size) if since is None else self._changes(shape, size, since, until)
        )
        body: dict[str, Any] = {"@odata.context": f"{self.reading.context(options)}/$delta", "value": rows}
        if last is None:
            token = {"$deltatoken": encoded(until)}
            body["@odata.deltaLink"] = self.reading.link(token, "$skiptoken", "$count")
        else:
            cookie = Cookie(self.cookie.page + 1, {**last, "until": str(until)}, tracking=True)
            body["@odata.nextLink"] = self.reading.link({"$skiptoken": render_cookie(cookie)})
        applied = replace(self.reading.request.preferences, track_changes=True).applied()
        answer = json_response(200, body, applied)
        return Response(answer.status, answer.body, answer.headers, rows=len(rows))

    def count(self) -> Response:
        """Answer `/$count?$deltatoken=`: how many rows have changed or gone, as text, 5,000 at most [?].

        Raises:
            ApiError: When an option is not allowed, the table is not tracked, or the token has expired.
        """
        self._check()
        since = self._since()
        until = self._until(since)
        changed = self._window(self.reading.entity.sql.c[VERSION], since, until)
        found = self.reading.counted(sa.select(self.reading.entity.id_column).where(changed))
        found += self.reading.counted(sa.select(self._gone.row_id).where(*self._deleted(since, until)))
        return Response(200, str(min(found, COUNT_LIMIT)).encode(), {"Content-Type": "text/plain"})

    def _check(self) -> None:
        check_options(self.reading.request.options)
        refuse_options(self.reading.request.options)
        if not self.reading.entity.table.change_tracking:
            raise bad_request(f"Change tracking is not enabled for '{self.reading.entity.table.name}'.")

    def _since(self) -> DeltaToken | None:
        text = self.reading.request.options.get("$deltatoken")
        if text is None:
            return None
        token = read_token(text)
        check_token(self.reading.api.store, self.reading.connection, token)
        return token

    def _until(self, since: DeltaToken | None) -> DeltaToken:
        known = self.cookie.place("until")
        if known:
            return read_token(known)
        present = present_token(self.reading.api.store, self.reading.connection)
        # A stale read shows nothing new, and must not lead the client back either.
        return since if since and since.version > present.version else present

    def _baseline(self, shape: Shape, size: int) -> tuple[list[Row], dict[str, str] | None]:
        entity = self.reading.entity
        last = self.cookie.place(entity.primary_id)

        def narrow(query: sa.Select[Any]) -> sa.Select[Any]:
            behind = query if last is None else query.where(entity.id_column > last)
            return behind.order_by(entity.id_column).limit(size + 1)

        rows = self.reading.render(shape, narrow)
        if len(rows) <= size:
            return rows, None
        return rows[:size], {entity.primary_id: rows[size - 1][entity.primary_id]}

    def _changes(
        self, shape: Shape, size: int, since: DeltaToken, until: DeltaToken
    ) -> tuple[list[Row], dict[str, str] | None]:
        """Return a page of changed rows by version, then of deleted ones, and where it ended."""
        changed: list[Row] = []
        if "deleted" not in self.cookie.last:
            changed = self._changed(shape, size, since, until)
            if len(changed) > size:
                return changed[:size], {"changed": changed[size - 1]["@odata.etag"][3:-1]}
        room = size - len(changed)
        gone = self._gone_rows(room, since, until)
        if len(gone) <= room:
            return changed + [self._deleted_row(row_id) for row_id, _ in gone], None
        last = gone[room - 1][1] if room else since.version
        return changed + [self._deleted_row(row_id) for row_id, _ in gone[:room]], {"deleted": str(last)}

    def _changed(self, shape: Shape, size: int, since: DeltaToken, until: DeltaToken) -> list[Row]:
        version = self.reading.entity.sql.c[VERSION]
        window = self._window(version, since, until, self.cookie.number("changed"))
        return self.reading.render(shape, lambda query: query.where(window).order_by(version).limit(size + 1))

    def _gone_rows(self, room: int, since: DeltaToken, until: DeltaToken) -> list[tuple[str, int]]:
        query = (
            sa.select(self._gone.row_id, self._gone.version)
            .where(*self._deleted(since, until, self.cookie.number("deleted")))
            .order_by(self._gone.version)
            .limit(room + 1)
        )
        return [(row_id, version) for row_id, version in self.reading.connection.execute(query)]

    def _deleted(
        self, since: DeltaToken | None, until: DeltaToken, behind: int | None = None
    ) -> list[_Condition]:
        table = self.reading.entity.table
        return [
            self._gone.table_name == table_name(table),
            self._window(self._gone.version, since, until, behind),
        ]

    def _window(
        self,
        version: sa.ColumnElement[int],
        since: DeltaToken | None,
        until: DeltaToken,
        behind: int | None = None,
    ) -> _Condition:
        start = since.version if since else 0
        return sa.and_(version > (start if behind is None else behind), version <= until.version)

    def _deleted_row(self, row_id: str) -> Row:
        entity_set = self.reading.entity.table.entity_set
        context = f"{self.reading.request.root}$metadata#{entity_set}/$deletedEntity"
        return {"@odata.context": context, "id": row_id, "reason": "deleted"}

    @property
    def _gone(self) -> Any:
        return self.reading.api.store.tombstone.c


def tracked(reading: Reading) -> TrackedReading | None:
    """Return the tracked form of a read where the request asks for one."""
    options = reading.request.options
    cookie = read_cookie(options["$skiptoken"]) if "$skiptoken" in options else Cookie(1)
    if reading.request.preferences.track_changes or "$deltatoken" in options or cookie.tracking:
        return TrackedReading(reading, cookie)
    return None
