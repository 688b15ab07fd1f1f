"""What moves: leases, watermarks, batches, the crosswalk, exports, and what is on its way right now."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from projops.state.tables.columns import Id, UtcDateTime, metadata

environment = Table(
    "environment",
    metadata,
    Column("system", String(20), primary_key=True),
    Column("environment_id", String(100), nullable=False),
    Column("bound_at", UtcDateTime, nullable=False),
    comment="The two environments that this state belongs to.",
)

IS_UNDERWAY = text("status = 'running'")

lease = Table(
    "lease",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("token", String(40), nullable=False),
    Column("owner", String(300), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("since", UtcDateTime),
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
    Column("id", Id, primary_key=True, autoincrement=True),
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
    Column("deleted", Integer, nullable=False, server_default="0"),
    Column("stopped_because", Text),
    UniqueConstraint("dag_id", "run_id", "map", "leg", name="batch_of_a_run"),
    Index("batch_by_leg", "map", "leg", "id"),
    Index("batch_by_time", "started_at"),
    Index("batch_underway", "map", "leg", "id", sqlite_where=IS_UNDERWAY, postgresql_where=IS_UNDERWAY),
    comment="What one run moves for one leg, with the watermark that it started from.",
)

meaning = Table(
    "meaning",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("columns", Text, nullable=False),
    Column("words", Text),
    comment="What a fingerprint stands for, column by column: what a changed mapping has changed.",
)

crosswalk = Table(
    "crosswalk",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("key", String(500), primary_key=True),
    Column("dataverse_id", String(36)),
    Column("hash_dataverse_to_finance", String(32)),
    Column("hash_finance_to_dataverse", String(32)),
    Column("shared_dataverse", Text),
    Column("shared_finance", Text),
    Column("batch", BigInteger, nullable=False),
    Column("in_step_at", UtcDateTime, nullable=False),
    Column("batch_dataverse_to_finance", BigInteger),
    Column("batch_finance_to_dataverse", BigInteger),
    Index("crosswalk_by_id", "map", "dataverse_id"),
    comment="A row on one side and the row on the other, and what was last in step.",
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

in_flight = Table(
    "in_flight",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("map", String(100), nullable=False),
    Column("leg", String(30), nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("token", String(40), nullable=False),
    Column("execution", String(100)),
    Column("rows", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("settles_at", UtcDateTime, nullable=False),
    Column("look", BigInteger),
    Column("looked_at", UtcDateTime),
    Index("in_flight_by_map", "map"),
    comment="Rows that a lease's holder is about to write: "
    "whoever takes the lease from it looks at them again.",
)

look = Table(
    "look",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("leg", String(30), primary_key=True),
    Column("looked_at", UtcDateTime, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("more", Boolean, nullable=False),
    Column("quiet_at", UtcDateTime),
    comment="What the last look at a source found, and when one last found nothing.",
)
