"""points in wallets, and what was ever withdrawn to each account."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lot", sa.Column("withdrawn", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index(
        "lot_withdrawn",
        "lot",
        ["currency", "expires_at"],
        unique=False,
        postgresql_where=sa.text("withdrawn > 0"),
        sqlite_where=sa.text("withdrawn > 0"),
    )
    op.create_table(
        "claim_leaf",
        sa.Column("account", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("cumulative", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "currency", "since"),
    )
