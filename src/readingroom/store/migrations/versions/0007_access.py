"""The first tables of the access room."""

import sqlalchemy as sa  # noqa: F401
from alembic import op  # noqa: F401

import readingroom.store.db  # noqa: F401

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
