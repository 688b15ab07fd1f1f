"""What people do, and how much we ask of both systems: pauses, the audit trail, throttling, requests."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, false

from projops.state.tables.columns import Id, UtcDateTime, metadata

pause = Table(
    "pause",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("paused_at", UtcDateTime, nullable=False),
    Column("paused_by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("resumed_at", UtcDateTime),
    Column("at_once", Boolean, nullable=False, server_default=false()),
    comment="Maps that nobody is to move until they are resumed, and when each was resumed last.",
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(50), nullable=False),
    Column("subject", String(500), nullable=False),
    Column("reason", Text, nullable=False),
    Index("audit_by_time", "at"),
    comment="Who did what to which map or row, when and why.",
)

request_count = Table(
    "request_count",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("still_milliseconds", Integer, nullable=False, server_default="0"),
    comment="Requests that were sent to each system on a day (UTC), against the daily budget.",
)
