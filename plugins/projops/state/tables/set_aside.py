"""What was set aside: dead letters in each of their states, and conflicts."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from projops.state.tables.columns import Id, UtcDateTime, metadata

LIVE = ("open", "parked", "awaiting_approval")
IS_LIVE = text("status IN ('open', 'parked', 'awaiting_approval')")
MAY_GO = text(
    "(status IN ('open', 'parked') AND retriable OR status = 'awaiting_approval' AND approved_at IS NOT NULL)"
)
"""What the next run tries again, whatever it waits for."""
STANDING = ("map", "leg", "status", "retriable", "approved_at")
"""What an index of live entries holds, so that those of all legs are counted from it alone."""
WAS_DECIDED = text("decided_at IS NOT NULL")
# All that groups of live entries are counted by, so that no entry is read for it; then, by number, one group.
CAUSE = ("status", "rule", "map", "leg", "waits_for_map", "id", "first_seen", "last_seen")
DECISION = ("decided_at", "map", "leg", "status", "last_seen", "rule", "id")

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("map", String(100), nullable=False),
    Column("leg", String(30), nullable=False),
    Column("source_id", String(500), nullable=False),
    Column("key", String(500)),
    Column("status", String(20), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("field", String(200)),
    Column("message", Text, nullable=False),
    Column("value", Text),
    Column("payload", Text),
    Column("evidence", String(500)),
    Column("waits_for_map", String(100)),
    Column("waits_for_id", String(500)),
    Column("retriable", Boolean, nullable=False, default=False),
    Column("attempts", Integer, nullable=False, default=1),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("mapping_version", String(30), nullable=False),
    Column("approved_at", UtcDateTime),
    Column("approved_by", String(200)),
    Column("decided_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("closed_because", Text),
    Index(
        "one_live_entry",
        "map",
        "leg",
        "source_id",
        unique=True,
        sqlite_where=IS_LIVE,
        postgresql_where=IS_LIVE,
    ),
    Index("dead_letter_by_row", "map", "source_id"),
    Index("dead_letter_by_status", "status", "map", "leg"),
    Index("dead_letter_by_cause", *CAUSE, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE),
    Index("dead_letter_by_decision", *DECISION, sqlite_where=WAS_DECIDED, postgresql_where=WAS_DECIDED),
    Index("dead_letter_by_leg", *STANDING, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE),
    Index("dead_letter_by_age", "status", "first_seen", "map", "leg", "rule"),
    comment="Rows that could not be moved, each with its reason; one live entry a leg and row.",
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("map", String(100), nullable=False),
    Column("leg", String(30), nullable=False),
    Column("key", String(500), nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("winner", String(20), nullable=False),
    Column("source_values", Text, nullable=False),
    Column("target_values", Text, nullable=False),
    Index("conflict_by_key", "map", "key"),
    comment="Both sides changed a shared column: both values, and who won.",
)
