"""What people are told: alerts with where each was sent, and the failures of tasks that they come from."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from projops.state.tables.columns import Id, UtcDateTime, metadata

IS_OPEN = text("resolved_at IS NULL")
IS_NOT_MENDED = text("mended_at IS NULL")

alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("cause", String(300), nullable=False),
    Column("kind", String(50), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("map", String(100)),
    Column("leg", String(30)),
    Column("title", String(300), nullable=False),
    Column("happened", Text, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("page", String(500), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("tells_end", Boolean, nullable=False),
    Column("action", String(20), nullable=False),
    Column("acted_at", UtcDateTime),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    Index("one_open_alert", "cause", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    Index("alert_by_time", "opened_at"),
    comment="What people were told: one open alert a cause.",
)

delivery = Table(
    "delivery",
    metadata,
    Column("alert", BigInteger, primary_key=True),
    Column("channel", String(100), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("tried_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("error", Text),
    Index("delivery_by_status", "status", "due_at"),
    comment="To which channels an alert and its end go, and whether they got there: an outbox.",
)

digest = Table(
    "digest",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("channel", String(100), primary_key=True),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    comment="The daily digests: to which channel each day's was sent.",
)

task_failure = Table(
    "task_failure",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("dag_id", String(250), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("task_id", String(250), nullable=False),
    Column("map", String(100)),
    Column("leg", String(30)),
    Column("error", String(100), nullable=False),
    Column("cause", String(300), nullable=False),
    Column("message", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("mended_at", UtcDateTime),
    Column("link", Text, nullable=False),
    Index("task_failure_by_time", "at"),
    Index("open_task_failure", "cause", sqlite_where=IS_NOT_MENDED, postgresql_where=IS_NOT_MENDED),
    comment="Tasks that failed, with what to do about it, until the same task succeeds.",
)
