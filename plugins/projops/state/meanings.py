"""What a mapping's fingerprint stands for, column by column, so that a change of it can be named."""

import json
from collections.abc import Collection, Mapping
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


def remember(
    connection: Connection, fingerprint: str, columns: Mapping[str, str], words: Mapping[str, str]
) -> None:
    """Keep what a fingerprint stands for.

    Args:
        connection: Open transaction.
        fingerprint: Of the whole.
        columns: Digest of each target column.
        words: What the mapping says, by entry, for people.
    """
    values = {"columns": json.dumps(dict(columns), sort_keys=True), "words": json.dumps(dict(words))}
    kept = insert_into(connection, meanings).values(fingerprint=fingerprint, **values)
    connection.execute(
        kept.on_conflict_do_update(
            index_elements=[meanings.c.fingerprint],
            set_={"words": kept.excluded.words},
            where=meanings.c.words.is_(None),  # kept before there were words
        )
    )


def words_of(connection: Connection, fingerprints: Collection[str]) -> dict[str, dict[str, str]]:
    """Give what mappings said, by entry, by fingerprint; those of which nothing is known are left out."""
    statement = select(meanings.c.fingerprint, meanings.c.words).where(
        meanings.c.fingerprint.in_(fingerprints), meanings.c.words.is_not(None)
    )
    return {row.fingerprint: json.loads(row.words) for row in connection.execute(statement)}


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
