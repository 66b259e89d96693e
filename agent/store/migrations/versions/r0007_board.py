"""What pages show of a target: its last day, and what its last whole pass left to do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "board",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("waiting", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("target", name="board_key"),
        sqlite_with_rowid=False,
    )
