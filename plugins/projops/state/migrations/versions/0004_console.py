"""What the console shows and alerts tell: alerts, failures of tasks, what the last look found, indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# SQLite gives ids by itself only to INTEGER primary keys.
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_IS_OPEN = sa.text("resolved_at IS NULL")
_IS_LIVE = sa.text("status IN ('open', 'parked', 'awaiting_approval')")
_WAS_DECIDED = sa.text("decided_at IS NOT NULL")
_DIFFERENCE = ["reconciliation", "map", "leg", "verdict", "cause"]
_STANDING = ["map", "leg", "status", "retriable", "approved_at"]
_IS_UNDERWAY = sa.text("status = 'running'")
_CAUSE = ["status", "rule", "map", "leg", "waits_for_map", "id", "first_seen", "last_seen"]
_DECISION = ["decided_at", "map", "leg", "status", "last_seen", "rule", "id"]
_IS_NOT_MENDED = sa.text("mended_at IS NULL")


def upgrade() -> None:
    """Create the new tables and indexes."""
    _create_alert()
    _create_delivery()
    _create_digest()
    _create_task_failure()
    _create_look()
    op.add_column("pause", sa.Column("at_once", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("refused", "still_milliseconds"):
        op.add_column("request_count", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("meaning", sa.Column("words", sa.Text()))
    op.create_index("batch_by_time", "batch", ["started_at"])
    op.drop_index("difference_by_reconciliation", "difference")
    op.create_index("difference_by_reconciliation", "difference", _DIFFERENCE)
    op.create_index(
        "batch_underway",
        "batch",
        ["map", "leg", "id"],
        sqlite_where=_IS_UNDERWAY,
        postgresql_where=_IS_UNDERWAY,
    )
    op.create_index(
        "dead_letter_by_leg", "dead_letter", _STANDING, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE
    )
    op.add_column("dead_letter", sa.Column("decided_at", sa.DateTime(timezone=True)))
    op.create_index("dead_letter_by_row", "dead_letter", ["map", "source_id"])
    for name, columns, rule in (("cause", _CAUSE, _IS_LIVE), ("decision", _DECISION, _WAS_DECIDED)):
        op.create_index(
            f"dead_letter_by_{name}", "dead_letter", columns, sqlite_where=rule, postgresql_where=rule
        )
    op.create_index("dead_letter_by_age", "dead_letter", ["status", "first_seen", "map", "leg", "rule"])


def _create_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("rule", sa.String(100), nullable=False),
        sa.Column("map", sa.String(100)),
        sa.Column("leg", sa.String(30)),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("happened", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("page", sa.String(500), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("tells_end", sa.Boolean(), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("acted_at", sa.DateTime(timezone=True)),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        comment="What people were told: one open alert a cause.",
    )
    op.create_index(
        "one_open_alert",
        "alert",
        ["cause"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
    op.create_index("alert_by_time", "alert", ["opened_at"])


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("alert", sa.BigInteger(), primary_key=True),
        sa.Column("channel", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        comment="To which channels an alert and its end go, and whether they got there: an outbox.",
    )
    op.create_index("delivery_by_status", "delivery", ["status", "due_at"])


def _create_digest() -> None:
    op.create_table(
        "digest",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("channel", sa.String(100), primary_key=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        comment="The daily digests: to which channel each day's was sent.",
    )


def _create_task_failure() -> None:
    op.create_table(
        "task_failure",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dag_id", sa.String(250), nullable=False),
        sa.Column("run_id", sa.String(250), nullable=False),
        sa.Column("task_id", sa.String(250), nullable=False),
        sa.Column("map", sa.String(100)),
        sa.Column("leg", sa.String(30)),
        sa.Column("error", sa.String(100), nullable=False),
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("mended_at", sa.DateTime(timezone=True)),
        sa.Column("link", sa.Text(), nullable=False),
        comment="Tasks that failed, with what to do about it, until the same task succeeds.",
    )
    op.create_index("task_failure_by_time", "task_failure", ["at"])
    op.create_index(
        "open_task_failure",
        "task_failure",
        ["cause"],
        sqlite_where=_IS_NOT_MENDED,
        postgresql_where=_IS_NOT_MENDED,
    )


def _create_look() -> None:
    op.create_table(
        "look",
        sa.Column("map", sa.String(100), primary_key=True),
        sa.Column("leg", sa.String(30), primary_key=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("more", sa.Boolean(), nullable=False),
        sa.Column("quiet_at", sa.DateTime(timezone=True)),
        comment="What the last look at a source found, and when one last found nothing.",
    )
