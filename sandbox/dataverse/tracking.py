"""Change tracking: delta tokens and what has changed since one (protocol 1.2)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import sqlalchemy as sa

from sandbox.dataverse.errors import bad_request, expired_delta_token
from sandbox.dataverse.skiptoken import decoded, lower_codes
from sandbox.store import Store
from sandbox.store.past import lag

EXPIRE_AFTER = timedelta(days=7)  # organization.ExpireChangeTrackingInDays [D]
FORBIDDEN = ("$filter", "$orderby", "$expand", "$top")
_NOT_TRACKED = ("$apply", "sql", "fetchXml")
_TOKEN = re.compile(r"(\d{1,18})!(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)$")


@dataclass(frozen=True, slots=True)
class DeltaToken:
    """A point in the table's history: all versions up to `version` have been seen.

    Attributes:
        version: The database-wide version.
        taken: When it was taken, aware, UTC, whole seconds.
    """

    version: int
    taken: datetime

    def __str__(self) -> str:
        """Render the documented shape: `919042!08/22/2017 08:10:44`."""
        return f"{self.version}!{self.taken:%m/%d/%Y %H:%M:%S}"


def encoded(token: DeltaToken) -> str:
    """Return a token as it stands in a delta link: `919042%2108%2f22%2f2017%2008%3a10%3a44` [D]."""
    return lower_codes(quote(str(token), safe=""))


def read_token(text: str) -> DeltaToken:
    """Read a delta token however often it was encoded on its way.

    Raises:
        ApiError: When it is not a token of ours.
    """
    match = _TOKEN.match(decoded(text).strip())
    if match is None:
        raise bad_request("The delta token is not valid: follow @odata.deltaLink as it is.")
    version, month, day, year, hour, minute, second = (int(part) for part in match.groups())
    try:
        return DeltaToken(version, datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except ValueError:
        raise bad_request("The delta token is not valid: follow @odata.deltaLink as it is.") from None


def present_token(store: Store, connection: sa.Connection) -> DeltaToken:
    """Return the token of what `connection` sees."""
    version = connection.execute(sa.select(store.environment.c.version)).scalar_one()
    return DeltaToken(version, store.clock.now().replace(microsecond=0))


def check_token(store: Store, connection: sa.Connection, token: DeltaToken) -> None:
    """Refuse a token that is too old, or of another life of this database.

    Raises:
        ApiError: 0x80044352.
    """
    environment = store.environment.c
    version, reset = connection.execute(sa.select(environment.version, environment.reset_version)).one()
    if lag():
        # A stale read does not know the latest tokens, which have not expired for that.
        version = store.latest_version()
    if store.clock.now() - token.taken > EXPIRE_AFTER or not reset <= token.version <= version:
        raise expired_delta_token()


def check_options(options: dict[str, str]) -> None:
    """Refuse the query options that change tracking does not take (protocol 1.2).

    Raises:
        ApiError: 400, naming the option.
    """
    for name in FORBIDDEN:
        if name in options:
            raise bad_request(
                f'The "${{{name.removeprefix("$")}}}" query parameter isn\'t supported '
                "when Change Tracking is enabled."
            )
    asked = {option.lower() for option in options}  # Dataverse's own compare without case
    for name in _NOT_TRACKED:
        if name.lower() in asked:
            raise bad_request(f"The query option '{name}' is not supported together with change tracking.")
