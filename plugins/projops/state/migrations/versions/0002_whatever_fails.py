"""What is in flight, who paused what, who did what, how much was asked; evidence of dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# SQLite gives ids by itself only to INTEGER primary keys.
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the new tables and widen the old ones."""
    _create_movement()
    _create_operations()
    _create_throttling()
    op.add_column("lease", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batch", sa.Column("deleted", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("dead_letter") as dead_letter:
        dead_letter.add_column(sa.Column("payload", sa.Text(), nullable=True))
        dead_letter.add_column(sa.Column("evidence", sa.String(length=500), nullable=True))
        dead_letter.add_column(sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
        dead_letter.add_column(sa.Column("approved_by", sa.String(length=200), nullable=True))
    # A digest of all shared columns gives way to one for each: without it, the next contact is the first.
    op.execute("UPDATE crosswalk SET shared_dataverse = NULL, shared_finance = NULL")
    with op.batch_alter_table("crosswalk") as crosswalk:
        crosswalk.alter_column("shared_dataverse", type_=sa.Text(), existing_nullable=True)
        crosswalk.alter_column("shared_finance", type_=sa.Text(), existing_nullable=True)


def _create_movement() -> None:
    op.create_table(
        "in_flight",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settles_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look", sa.BigInteger(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        comment="Rows that a lease's holder is about to write: "
        "whoever takes the lease from it looks at them again.",
    )
    op.create_index("in_flight_by_map", "in_flight", ["map"], unique=False)
    op.create_table(
        "meaning",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        comment="What a fingerprint stands for, column by column: what a changed mapping has changed.",
    )
    op.add_column("batch", sa.Column("stopped_because", sa.Text(), nullable=True))


def _create_operations() -> None:
    op.create_table(
        "pause",
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("map"),
        comment="Maps that nobody is to move until they are resumed, and when each was resumed last.",
    )
    op.create_table(
        "audit",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="Who did what to which map or row, when and why.",
    )
    op.create_index("audit_by_time", "audit", ["at"], unique=False)
    op.create_table(
        "request_count",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("system", sa.String(length=20), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "system"),
        comment="Requests that were sent to each system on a day (UTC), against the daily budget.",
    )


def _create_throttling() -> None:
    op.create_table(
        "throttle",
        sa.Column("principal", sa.String(length=300), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paced_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_requests", sa.Integer(), nullable=True),
        sa.Column("left_milliseconds", sa.Integer(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("principal"),
        comment="A system and a user: when it may be asked again, and what it said is left of its limits.",
    )
    op.create_table(
        "throttle_holder",
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("principal", sa.String(length=300), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("awaited_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("holder"),
        comment="Sessions that hold a share of a system's limits or wait for one; a killed one expires.",
    )
    op.create_index("throttle_holder_by_principal", "throttle_holder", ["principal"], unique=False)
    op.create_table(
        "throttle_use",
        sa.Column("principal", sa.String(length=300), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "until"),
        comment="Requests that were sent up to an instant, and what they took, for as long as the window is.",
    )
