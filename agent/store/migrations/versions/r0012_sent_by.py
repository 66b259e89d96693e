"""An intent tells by when its call had surely left, if it ever did: doubt is counted from there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journal", sa.Column("sent_by", sa.Double(), nullable=True))
