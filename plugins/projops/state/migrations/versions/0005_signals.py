"""What both systems tell of changes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables of signals."""
    op.create_table(
        "signal",
        sa.Column("map", sa.String(100), primary_key=True),
        sa.Column("leg", sa.String(30), primary_key=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True)),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True)),
        sa.Column("taken_by", sa.String(500)),
        comment="Legs whose source has told of changes: since when nobody has looked, and who looked last.",
    )
    op.create_table(
        "signal_count",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("system", sa.String(20), primary_key=True),
        sa.Column("fate", sa.String(20), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        comment="Messages about changes that came on a day (UTC), and what became of them.",
    )
