"""What follows an award: child calls, requests of holders, what was observed of them, appeals."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
