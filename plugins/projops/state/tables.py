"""Tables of the state database.

Time stamps are stored in UTC and come back aware. Keys are canonical key texts
(`projops.mapping.keys`), hashes are those of `projops.transform.hashing`.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

LIVE = ("open", "parked", "awaiting_approval")
IS_LIVE = text("status IN ('open', 'parked', 'awaiting_approval')")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time stamp in UTC, also on databases that keep no zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive time stamps; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time stamp in the state must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware time stamp."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives ids by itself only to INTEGER primary keys.
_Id = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

environment = Table(
    "environment",
    metadata,
    Column("system", String(20), primary_key=True),
    Column("environment_id", String(100), nullable=False),
    Column("bound_at", UtcDateTime, nullable=False),
    comment="The two environments that this state belongs to.",
)

lease = Table(
    "lease",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("token", String(40), nullable=False),
    Column("owner", String(300), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    comment="One writer a map: who holds it, and until when.",
)

leg = Table(
    "leg",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("leg", String(30), primary_key=True),
    Column("watermark", Text),
    Column("fingerprint", String(64)),
    Column("batch", BigInteger),
    Column("committed_at", UtcDateTime),
    comment="Where the next extract of a leg begins, and the batch that moved it there.",
)

batch = Table(
    "batch",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("dag_id", String(250), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("map", String(100), nullable=False),
    Column("leg", String(30), nullable=False),
    Column("status", String(20), nullable=False),
    Column("mode", String(20), nullable=False),
    Column("mapping_version", String(30), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("base_batch", BigInteger),
    Column("watermark_from", Text),
    Column("watermark_to", Text),
    Column("advances", Boolean, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("read", Integer, nullable=False, default=0),
    Column("unchanged", Integer, nullable=False, default=0),
    Column("loaded", Integer, nullable=False, default=0),
    Column("parked", Integer, nullable=False, default=0),
    Column("rejected", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    UniqueConstraint("dag_id", "run_id", "map", "leg", name="batch_of_a_run"),
    Index("batch_by_leg", "map", "leg", "id"),
    comment="What one run moves for one leg, with the watermark that it started from.",
)

crosswalk = Table(
    "crosswalk",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("key", String(500), primary_key=True),
    Column("dataverse_id", String(36)),
    Column("hash_dataverse_to_finance", String(32)),
    Column("hash_finance_to_dataverse", String(32)),
    Column("shared_dataverse", String(32)),
    Column("shared_finance", String(32)),
    Column("batch", BigInteger, nullable=False),
    Column("in_step_at", UtcDateTime, nullable=False),
    Index("crosswalk_by_id", "map", "dataverse_id"),
    comment="A row on one side and the row on the other, and what was last in step.",
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
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
    Column("waits_for_map", String(100)),
    Column("waits_for_id", String(500)),
    Column("retriable", Boolean, nullable=False, default=False),
    Column("attempts", Integer, nullable=False, default=1),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("mapping_version", String(30), nullable=False),
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
    Column("id", _Id, primary_key=True, autoincrement=True),
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

export_execution = Table(
    "export_execution",
    metadata,
    Column("execution_id", String(100), primary_key=True),
    Column("map", String(100), nullable=False),
    Column("leg", String(30), nullable=False),
    Column("company", String(10), nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("full", Boolean, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("committed_at", UtcDateTime),
    Index("export_by_leg", "map", "leg", "company"),
    comment="Incremental exports that we asked for: recorded before the call, fetched until committed.",
)
