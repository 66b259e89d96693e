"""What an open intent expects gets a table of its own, so that the journal's rows need not shrink in their pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "expected",
        sa.Column("op_id", sa.Text(), nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=True),
        sa.Column("applied", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("op_id", name="expected_key"),
        sqlite_with_rowid=False,
    )
    op.execute(
        'INSERT INTO expected (op_id, "row", applied) SELECT op_id, "row", applied FROM journal'
        ' WHERE closed_at IS NULL AND ("row" IS NOT NULL OR applied IS NOT NULL)'
    )
    with op.batch_alter_table("journal") as journal:  # before 3.35 SQLite drops no column: the table is made anew
        journal.drop_column("row")
        journal.drop_column("applied")
