"""Which import of Finance's the rows in flight travel by."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("in_flight", sa.Column("execution", sa.String(100)))
