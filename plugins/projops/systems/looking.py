"""Looking at many delta links at once, without taking anything from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from projops.errors import AuthenticationError, ProjOpsError, TryAgainError, WatermarkExpiredError
from projops.systems.batch import Operation, Result
from projops.systems.dataverse import SERVICE, Dataverse, EntitySet
from projops.systems.decoding import decode_json, link_in
from projops.systems.exchange import Exchange
from projops.systems.session import ODataSession

_LOOKS_A_BATCH = 200  # of the 1,000 that Dataverse takes [D]
_LOOKED_AT = 100  # changes that one look counts: enough to tell a few from many


@dataclass(frozen=True, slots=True)
class Look:
    """One delta link to look at.

    Attributes:
        table: Its table.
        delta_link: The link, as path and query.
    """

    table: EntitySet
    delta_link: str

    @property
    def what(self) -> str:
        """What is being done, for messages."""
        return f"looking for changes of {self.table.name}"


@dataclass(frozen=True, slots=True)
class Pending:
    """What has changed of a table since a delta link.

    Attributes:
        changes: Changes that the first page shows.
        more: Whether there are more than those.
        delta_link: A younger link to go on from, where nothing has changed: tokens expire (after 7
            days by default [D]), also while a table rests.
    """

    changes: int
    more: bool
    delta_link: str | None

    @property
    def changed(self) -> bool:
        """Whether there is anything."""
        return self.more or self.changes > 0


EXPIRED = Pending(0, more=True, delta_link=None)
"""What a token that is too old tells: only a full read, which heals it, knows what has changed."""


async def look(dataverse: Dataverse, looks: Sequence[Look]) -> list[Pending | ProjOpsError]:
    """Ask for the first changes since each delta link, in one $batch.

    Returns:
        In order of the links: what there is, or why that one cannot be told.

    Raises:
        ProjOpsError: What concerns all of them: access, throttling, no answer.
    """
    session = dataverse.session
    prefer = (("Prefer", f"odata.track-changes,odata.maxpagesize={_LOOKED_AT}"),)
    base = session.connection.base_url
    operations = [Operation("GET", base + each.delta_link, headers=prefer) for each in looks]
    exchange = Exchange(session, f"{SERVICE}$batch", "looking for changes", "read", True, _LOOKS_A_BATCH)
    results = await exchange.run(operations)
    return [_found(exchange, each, result) for each, result in zip(looks, results, strict=True)]


def _found(exchange: Exchange, looked: Look, result: Result | None) -> Pending | ProjOpsError:
    try:
        return _pending(exchange.session, looked, exchange.success(result).body)
    except WatermarkExpiredError:
        return EXPIRED
    except (AuthenticationError, TryAgainError):
        raise
    except ProjOpsError as error:
        return error


def _pending(session: ODataSession, looked: Look, body: bytes) -> Pending:
    content = decode_json(body, looked.what)
    changes, more = len(content.get("value") or ()), "@odata.nextLink" in content
    younger = None if changes or more else link_in(content, "@odata.deltaLink", looked.what)
    return Pending(changes, more, None if younger is None else session.local(younger))
