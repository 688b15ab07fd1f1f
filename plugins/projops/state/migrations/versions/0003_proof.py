"""What proves that both sides are equal: reconciliations, differences, invariants, quality."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# SQLite gives ids by itself only to INTEGER primary keys.
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTS = (
    "expected_rows",
    "found_rows",
    "matched",
    "drift",
    "pending",
    "parked",
    "dead_letter",
    "awaiting_approval",
    "kept",
)


def upgrade() -> None:
    """Create the new tables; of each pair, remember the last batch of either direction."""
    _create_reconciliation()
    _create_difference()
    _create_invariant()
    _create_quality()
    op.add_column("crosswalk", sa.Column("batch_dataverse_to_finance", sa.BigInteger(), nullable=True))
    op.add_column("crosswalk", sa.Column("batch_finance_to_dataverse", sa.BigInteger(), nullable=True))
    for leg in ("dataverse_to_finance", "finance_to_dataverse"):
        _remember_batches(leg)


def _remember_batches(leg: str) -> None:
    """Of each pair the last batch is known: it had the row in step in its own direction."""
    op.execute(
        f"UPDATE crosswalk SET batch_{leg} = batch WHERE hash_{leg} <> '' "  # names of ours  # nosec B608
        f"AND EXISTS (SELECT 1 FROM batch AS known WHERE known.id = crosswalk.batch AND known.leg = '{leg}')"
    )


def _create_reconciliation() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("drift", sa.Integer(), nullable=False),
        sa.Column("explained", sa.Integer(), nullable=False),
        sa.Column("broken_invariants", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("report", sa.String(length=1000), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dag_id", "run_id", name="reconciliation_of_a_run"),
        comment="One proof that both sides are equal, or how far they are not.",
    )
    op.create_index("reconciliation_by_time", "reconciliation", ["started_at"], unique=False)
    op.create_table(
        "reconciled_leg",
        sa.Column("reconciliation", sa.BigInteger(), nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("mapping_version", sa.String(length=30), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reconciliation", "map", "leg"),
        comment="What a reconciliation found of a leg: rows by verdict, and sums by company and period.",
    )


def _create_difference() -> None:
    op.create_table(
        "difference",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("reconciliation", sa.BigInteger(), nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=50), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(length=500), nullable=True),
        sa.Column("target_id", sa.String(length=500), nullable=True),
        sa.Column("source_hash", sa.String(length=32), nullable=True),
        sa.Column("company", sa.String(length=10), nullable=True),
        sa.Column("period", sa.String(length=7), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repaired_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        comment="A row that the target does not hold as the mapping says, with both values of each column.",
    )
    op.create_index(
        "difference_by_reconciliation",
        "difference",
        ["reconciliation", "map", "leg", "verdict"],
        unique=False,
    )
    op.create_index("difference_by_key", "difference", ["map", "leg", "key"], unique=False)


def _create_invariant() -> None:
    op.create_table(
        "invariant",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("reconciliation", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("company", sa.String(length=10), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="What must hold of the books, and each thing for which it does not.",
    )
    op.create_index("invariant_by_reconciliation", "invariant", ["reconciliation", "name"], unique=False)


def _create_quality() -> None:
    op.create_table(
        "quality",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("map", sa.String(length=100), nullable=False),
        sa.Column("leg", sa.String(length=30), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch", "stage", "rule", "field"),
        comment="How many rows of a batch broke which rule: the trend of the data's quality.",
    )
    op.create_index("quality_by_leg", "quality", ["map", "leg", "at"], unique=False)
