"""What a mapping's fingerprint stands for, column by column, so that a change of it can be named."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from projops.state.tables import meaning as meanings
from projops.state.upserts import insert_into


@dataclass(frozen=True, slots=True)
class Difference:
    """What a leg's mapping says of its target columns now and did not say before.

    Attributes:
        added: Columns that are mapped now.
        changed: Columns that get their value in another way.
        removed: Columns that are not mapped any more.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def by_name(self) -> dict[str, tuple[str, ...]]:
        """Give the columns under what has become of them."""
        return {"new": self.added, "changed": self.changed, "removed": self.removed}


def remember(connection: Connection, fingerprint: str, columns: Mapping[str, str]) -> None:
    """Keep the digest of each target column under the fingerprint of the whole."""
    values = {"fingerprint": fingerprint, "columns": json.dumps(dict(columns), sort_keys=True)}
    connection.execute(insert_into(connection, meanings).values(values).on_conflict_do_nothing())


def difference(connection: Connection, before: str | None, columns: Mapping[str, str]) -> Difference | None:
    """Say what has changed since a fingerprint; None where nothing is known of that one."""
    kept = connection.execute(select(meanings.c.columns).where(meanings.c.fingerprint == before)).scalar()
    if kept is None:
        return None
    old: dict[str, str] = json.loads(kept)
    return Difference(
        added=tuple(name for name in columns if name not in old),
        changed=tuple(name for name in columns if name in old and old[name] != columns[name]),
        removed=tuple(name for name in old if name not in columns),
    )
