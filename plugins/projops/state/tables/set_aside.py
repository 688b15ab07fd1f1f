"""What was set aside: dead letters in each of their states, and conflicts."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from projops.state.tables.columns import Id, UtcDateTime, metadata

LIVE = ("open", "parked", "awaiting_approval")
IS_LIVE = text("status IN ('open', 'parked', 'awaiting_approval')")

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
    Index("dead_letter_by_status", "status", "map", "leg"),
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
