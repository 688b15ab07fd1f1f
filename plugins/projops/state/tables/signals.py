"""What both systems have told us: of which legs' sources, and how many messages came to what."""

from sqlalchemy import BigInteger, Column, String, Table

from projops.state.tables.columns import UtcDateTime, metadata

signal = Table(
    "signal",
    metadata,
    Column("map", String(100), primary_key=True),
    Column("leg", String(30), primary_key=True),
    Column("waiting_since", UtcDateTime),
    Column("last_at", UtcDateTime, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("taken_at", UtcDateTime),
    Column("taken_by", String(500)),
    comment="Legs whose source has told of changes: since when nobody has looked, and who looked last.",
)

signal_count = Table(
    "signal_count",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("system", String(20), primary_key=True),
    Column("fate", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False),
    comment="Messages about changes that came on a day (UTC), and what became of them.",
)
