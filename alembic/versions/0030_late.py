"""What a person chose, item by item, for a pupil who came when a round was over."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0032b"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLE = "late_choices"
OF = {"round_id": "billing_rounds", "enrolment_id": "enrolments", "item_id": "fee_items"}


def upgrade() -> None:
    """Add the table with its guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        *(sa.Column(column, sa.Uuid(), nullable=False) for column in OF),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('take', 'take_again', 'leave')", name=op.f("ck_late_choices_kind_known")),
        sa.CheckConstraint("kind = 'take' OR reason <> ''", name=op.f("ck_late_choices_reason_given")),
        *(
            sa.ForeignKeyConstraint(
                ["school_id", column],
                [f"{table}.school_id", f"{table}.id"],
                name=op.f(f"fk_late_choices_school_id_{column}"),
            )
            for column, table in OF.items()
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_late_choices_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_choices")),
    )
    op.create_index("ix_late_choices_round", TABLE, ["school_id", "round_id"])
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {TABLE} TO hocphi_report")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {TABLE} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table(TABLE)
