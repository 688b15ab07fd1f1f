"""What all tasks that speak to a system as one user share: its limits, and whose turn it is."""

from sqlalchemy import Column, Index, Integer, String, Table

from projops.state.tables.columns import UtcDateTime, metadata

throttle = Table(
    "throttle",
    metadata,
    Column("principal", String(300), primary_key=True),
    Column("not_before", UtcDateTime),
    Column("paced_until", UtcDateTime),
    Column("left_requests", Integer),
    Column("left_milliseconds", Integer),
    Column("left_at", UtcDateTime),
    comment="A system and a user: when it may be asked again, and what it said is left of its limits.",
)

throttle_holder = Table(
    "throttle_holder",
    metadata,
    Column("holder", String(40), primary_key=True),
    Column("principal", String(300), nullable=False),
    Column("slots", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("waiting_since", UtcDateTime),
    Column("awaited_until", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("throttle_holder_by_principal", "principal"),
    comment="Sessions that hold a share of a system's limits or wait for one; a killed one expires.",
)

throttle_use = Table(
    "throttle_use",
    metadata,
    Column("principal", String(300), primary_key=True),
    Column("until", UtcDateTime, primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    comment="Requests that were sent up to an instant, and what they took, for as long as the window is.",
)
