"""What events of platforms pointed at, left by one of several agents for the home of the target."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pointer",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("came_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("target", "digest", name="pointer_key"),
        sqlite_with_rowid=False,
    )
