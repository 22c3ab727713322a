"""Shape and guards of plans of collections: written whole, submitted by one, approved by another from a decision.

Nothing of a plan changes: items come with the draft, papers while they may come, steps in their order.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = ["collection_plans", "plan_items", "plan_papers", "plan_steps"]
REPORTED = ["collection_plans", "plan_items", "plan_steps"]
REPORTED_COLUMNS = "id, school_id, plan_id, kind, name, media_type, sha256, made_by, made_at"
UNITS = "'month', 'meal_day', 'hour', 'day', 'lesson', 'km', 'term', 'year', 'once'"
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"

FUNCTIONS = r"""
CREATE FUNCTION plan_takes_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM plan_steps s WHERE s.school_id = NEW.school_id AND s.plan_id = NEW.plan_id) THEN
        RAISE EXCEPTION 'a submitted plan takes no further item' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION plan_takes_papers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    SELECT s.kind INTO state FROM plan_steps s
      WHERE s.school_id = NEW.school_id AND s.plan_id = NEW.plan_id ORDER BY s.turn DESC LIMIT 1;
    IF coalesce(state, 'draft') <> (CASE NEW.kind WHEN 'decision' THEN 'submitted' ELSE 'draft' END) THEN
        RAISE EXCEPTION 'a plan that is % takes no %', coalesce(state, 'a draft'), NEW.kind
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION plan_step_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('plan step ' || NEW.plan_id, 0));
    SELECT s.turn, s.kind, s.made_by INTO last FROM plan_steps s
      WHERE s.school_id = NEW.school_id AND s.plan_id = NEW.plan_id ORDER BY s.turn DESC LIMIT 1;
    IF NEW.turn <> coalesce(last.turn, 0) + 1
       OR (NEW.kind = 'submitted') <> (last.kind IS NULL)
       OR coalesce(last.kind, 'submitted') <> 'submitted' THEN
        RAISE EXCEPTION 'a plan that is % cannot be %', coalesce(last.kind, 'a draft'), NEW.kind
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM plan_items i WHERE i.school_id = NEW.school_id AND i.plan_id = NEW.plan_id)
       OR NOT EXISTS (SELECT 1 FROM plan_papers p WHERE p.school_id = NEW.school_id AND p.plan_id = NEW.plan_id
                      AND p.kind = 'minutes')
       OR (NEW.kind = 'approved' AND NOT EXISTS (SELECT 1 FROM plan_papers p WHERE p.school_id = NEW.school_id
           AND p.plan_id = NEW.plan_id AND p.kind = 'decision')) THEN
        RAISE EXCEPTION 'a plan without items or papers goes no further' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'approved' AND (NEW.made_by = last.made_by OR EXISTS (SELECT 1 FROM collection_plans c
                                  WHERE c.id = NEW.plan_id AND c.made_by = NEW.made_by)) THEN
        RAISE EXCEPTION 'whoever made a plan does not approve it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
ROW_TRIGGERS = [
    ("plan_items", "plan_takes_items"),
    ("plan_papers", "plan_takes_papers"),
    ("plan_steps", "plan_step_follows"),
]


def upgrade() -> None:
    """Add the room's tables and guards, and the day from which a school needs a plan."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("schools", sa.Column("plans_required_from", sa.Date(), nullable=True))
    op.execute("GRANT UPDATE (plans_required_from) ON schools TO hocphi_app")
    _plans()
    _items()
    _papers()
    _steps()
    for statement in FUNCTIONS.strip().split("\n\nCREATE "):
        op.execute(statement if statement.startswith("CREATE") else f"CREATE {statement}")
    for table, function in ROW_TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    _guard()


def _plans() -> None:
    op.create_table(
        "collection_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("meeting_on", sa.Date(), nullable=False),
        sa.Column("meeting_place", sa.String(), nullable=False),
        sa.Column("meeting_yes", sa.Integer(), nullable=False),
        sa.Column("meeting_of", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("version > 0", name=op.f("ck_collection_plans_version_counts")),
        sa.CheckConstraint(
            "meeting_yes BETWEEN 0 AND meeting_of AND meeting_of > 0", name=op.f("ck_collection_plans_share_of_yes")
        ),
        sa.CheckConstraint("meeting_place <> ''", name=op.f("ck_collection_plans_meeting_somewhere")),
        _of("collection_plans"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_plans")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_collection_plans_school_id_id")),
        sa.UniqueConstraint(
            "school_id", "school_year", "version", name=op.f("uq_collection_plans_school_id_school_year_version")
        ),
    )


def _items() -> None:
    op.create_table(
        "plan_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=False),
        sa.Column("legal_name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.CheckConstraint(f"unit IN ({UNITS})", name=op.f("ck_plan_items_unit_known")),
        sa.CheckConstraint("price > 0 AND pupils > 0 AND times > 0", name=op.f("ck_plan_items_estimate_above_zero")),
        sa.CheckConstraint("expected = price * pupils * times", name=op.f("ck_plan_items_expected_adds_up")),
        sa.CheckConstraint("basis <> '' AND purpose <> ''", name=op.f("ck_plan_items_explained")),
        _within("plan_items"),
        _of("plan_items"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_items")),
        sa.UniqueConstraint(
            "school_id", "plan_id", "item_code", name=op.f("uq_plan_items_school_id_plan_id_item_code")
        ),
    )


def _papers() -> None:
    op.create_table(
        "plan_papers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("kind IN ('estimate', 'minutes', 'decision')", name=op.f("ck_plan_papers_kind_known")),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png')",
            name=op.f("ck_plan_papers_media_type_known"),
        ),
        sa.CheckConstraint(
            "octet_length(content) BETWEEN 1 AND 5242880", name=op.f("ck_plan_papers_content_in_bounds")
        ),
        sa.CheckConstraint("sha256 = sha256(content)", name=op.f("ck_plan_papers_content_as_digested")),
        _within("plan_papers"),
        _of("plan_papers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_papers")),
    )
    op.create_index("ix_plan_papers_plan", "plan_papers", ["school_id", "plan_id"], unique=False)


def _steps() -> None:
    op.create_table(
        "plan_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("signer", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("kind IN ('submitted', 'approved', 'returned')", name=op.f("ck_plan_steps_kind_known")),
        sa.CheckConstraint("turn > 0", name=op.f("ck_plan_steps_turn_counts")),
        sa.CheckConstraint("kind <> 'returned' OR reason <> ''", name=op.f("ck_plan_steps_reason_given")),
        sa.CheckConstraint(
            "(kind = 'approved') = (valid_from IS NOT NULL AND decided_on IS NOT NULL"
            " AND number <> '' AND signer <> '' AND authority <> '')",
            name=op.f("ck_plan_steps_approved_by_a_decision"),
        ),
        _within("plan_steps"),
        _of("plan_steps"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_steps")),
        sa.UniqueConstraint("school_id", "plan_id", "turn", name=op.f("uq_plan_steps_school_id_plan_id_turn")),
    )


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _within(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", "plan_id"],
        ["collection_plans.school_id", "collection_plans.id"],
        name=op.f(f"fk_{table}_school_id_plan_id"),
    )


def _of(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _guard() -> None:
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in REPORTED:
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute(f"GRANT SELECT ({REPORTED_COLUMNS}) ON plan_papers TO hocphi_report")


def downgrade() -> None:
    """Take them away again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    for _, function in ROW_TRIGGERS:
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_column("schools", "plans_required_from")
