"""First schema: watermarks, batches, crosswalk, dead letters, leases, conflicts, exports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite gives ids by itself only to INTEGER primary keys.
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "batch",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("mapping_version", sa.String(length=30), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("base_batch", sa.BigInteger(), nullable=True),
        sa.Column("watermark_from", sa.Text(), nullable=True),
        sa.Column("watermark_to", sa.Text(), nullable=True),
        sa.Column("advances", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("loaded", sa.Integer(), nullable=False),
        sa.Column("parked", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dag_id", "run_id", "map", "leg", name="batch_of_a_run"),
        comment="What one run moves for one leg, with the watermark that it started from.",
    )
    op.create_index("batch_by_leg", "batch", ["map", "leg", "id"], unique=False)
    op.create_table(
        "conflict",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("winner", sa.String(length=20), nullable=False),
        sa.Column("source_values", sa.Text(), nullable=False),
        sa.Column("target_values", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="Both sides changed a shared column: both values, and who won.",
    )
    op.create_index("conflict_by_key", "conflict", ["map", "key"], unique=False)
    op.create_table(
        "crosswalk",
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("dataverse_id", sa.String(length=36), nullable=True),
        sa.Column("hash_dataverse_to_finance", sa.String(length=32), nullable=True),
        sa.Column("hash_finance_to_dataverse", sa.String(length=32), nullable=True),
        sa.Column("shared_dataverse", sa.String(length=32), nullable=True),
        sa.Column("shared_finance", sa.String(length=32), nullable=True),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("in_step_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("map", "key"),
        comment="A row on one side and the row on the other, and what was last in step.",
    )
    op.create_index("crosswalk_by_id", "crosswalk", ["map", "dataverse_id"], unique=False)
    op.create_table(
        "dead_letter",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("source_id", sa.String(length=500), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("waits_for_map", sa.String(length=100), nullable=True),
        sa.Column("waits_for_id", sa.String(length=500), nullable=True),
        sa.Column("retriable", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("mapping_version", sa.String(length=30), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        comment="Rows that could not be moved, each with its reason; one live entry a leg and row.",
    )
    op.create_index("dead_letter_by_status", "dead_letter", ["status", "map", "leg"], unique=False)
    op.create_index(
        "one_live_entry",
        "dead_letter",
        ["map", "leg", "source_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('open', 'parked', 'awaiting_approval')"),
        postgresql_where=sa.text("status IN ('open', 'parked', 'awaiting_approval')"),
    )
    op.create_table(
        "environment",
        sa.Column("system", sa.String(length=20), nullable=False),
        sa.Column("environment_id", sa.String(length=100), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system"),
        comment="The two environments that this state belongs to.",
    )
    op.create_table(
        "export_execution",
        sa.Column("execution_id", sa.String(length=100), nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("company", sa.String(length=10), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("full", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("execution_id"),
        comment="Incremental exports that we asked for: recorded before the call, fetched until committed.",
    )
    op.create_index("export_by_leg", "export_execution", ["map", "leg", "company"], unique=False)
    op.create_table(
        "lease",
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=300), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("map"),
        comment="One writer a map: who holds it, and until when.",
    )
    op.create_table(
        "leg",
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("watermark", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("batch", sa.BigInteger(), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("map", "leg"),
        comment="Where the next extract of a leg begins, and the batch that moved it there.",
    )
