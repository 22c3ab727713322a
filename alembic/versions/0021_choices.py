"""Shape and guards of what families choose themselves; a planned price may be for some levels and grades only."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ["choice_offers", "family_choices", "choice_refusals"]
WRITTEN_ONCE = ["family_choices", "choice_refusals"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
OLD_KEY = ["school_id", "plan_id", "item_code"]
NEW_KEY = [*OLD_KEY, "levels", "grades"]

# Said once more below the rules, since a choice is what the school will show when somebody asks why it charged.
FUNCTIONS = {
    "offer_closes_once": r"""
CREATE FUNCTION offer_closes_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'an offer is closed once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$""",
    "choice_fits": r"""
CREATE FUNCTION choice_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'register' AND NOT EXISTS (
        SELECT 1 FROM choice_offers o
        WHERE o.school_id = NEW.school_id AND o.id = NEW.offer_id AND o.item_id = NEW.item_id AND o.closed_at IS NULL
          AND (NEW.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date <= o.closes_on AND NEW.day >= o.first_day) THEN
        RAISE EXCEPTION 'nobody registers for what is not open' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM enrolments e JOIN guardianships g ON g.pupil_id = e.pupil_id
        WHERE e.school_id = NEW.school_id AND e.id = NEW.enrolment_id AND g.guardian_id = NEW.guardian_id) THEN
        RAISE EXCEPTION 'nobody chooses for the child of others' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$""",
    "only_registrations_are_refused": r"""
CREATE FUNCTION only_registrations_are_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM family_choices c
                   WHERE c.school_id = NEW.school_id AND c.id = NEW.choice_id AND c.kind = 'register') THEN
        RAISE EXCEPTION 'an end is not refused' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$""",
}
TRIGGERS = [
    ("choice_offers", "offer_closes_once", "BEFORE UPDATE"),
    ("family_choices", "choice_fits", "BEFORE INSERT"),
    ("choice_refusals", "only_registrations_are_refused", "BEFORE INSERT"),
]


def upgrade() -> None:
    """Add the room's tables and guards, and the audience of planned prices."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    for column, kind in (("levels", sa.Text()), ("grades", sa.Integer())):
        op.add_column("plan_items", sa.Column(column, sa.ARRAY(kind), server_default="{}", nullable=False))
    _plan_key(OLD_KEY, NEW_KEY)
    _offers()
    _choices()
    op.create_table(
        "choice_refusals",
        sa.Column("choice_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_choice_refusals_reason_given")),
        _within("choice_refusals", "choice_id", "family_choices"),
        _of_school("choice_refusals"),
        sa.PrimaryKeyConstraint("choice_id", name=op.f("pk_choice_refusals")),
    )
    for statement in FUNCTIONS.values():
        op.execute(statement)
    for table, function, when in TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    for table in TABLES:
        _guard(table)
    op.execute("GRANT UPDATE (closed_by, closed_at) ON choice_offers TO hocphi_app")


def _plan_key(old: list[str], new: list[str]) -> None:
    op.drop_constraint(op.f(f"uq_plan_items_{'_'.join(old)}"), "plan_items", type_="unique")
    op.create_unique_constraint(op.f(f"uq_plan_items_{'_'.join(new)}"), "plan_items", new)


def _offers() -> None:
    op.create_table(
        "choice_offers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("words <> ''", name=op.f("ck_choice_offers_said_what_for")),
        sa.CheckConstraint(
            "(closed_by IS NULL) = (closed_at IS NULL)", name=op.f("ck_choice_offers_closed_by_a_person")
        ),
        _within("choice_offers", "item_id", "fee_items"),
        _of_school("choice_offers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choice_offers")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_choice_offers_school_id_id")),
    )
    op.create_index(
        "uq_choice_offers_open",
        "choice_offers",
        ["school_id", "item_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _choices() -> None:
    op.create_table(
        "family_choices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("contact_kind", sa.String(), nullable=False),
        sa.Column("contact_masked", sa.String(), nullable=False),
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("words_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('register', 'end')", name=op.f("ck_family_choices_kind_known")),
        sa.CheckConstraint("contact_kind IN ('phone', 'email')", name=op.f("ck_family_choices_contact_kind_known")),
        sa.CheckConstraint(
            "(kind = 'register') = (offer_id IS NOT NULL AND price IS NOT NULL)",
            name=op.f("ck_family_choices_of_an_offer"),
        ),
        sa.CheckConstraint("price > 0", name=op.f("ck_family_choices_price_above_zero")),
        sa.CheckConstraint("octet_length(session_hash) = 32", name=op.f("ck_family_choices_session_is_a_digest")),
        sa.CheckConstraint(
            "words <> '' AND words_sha256 = sha256(convert_to(words, 'UTF8'))",
            name=op.f("ck_family_choices_words_as_digested"),
        ),
        _within("family_choices", "offer_id", "choice_offers"),
        _within("family_choices", "item_id", "fee_items"),
        _within("family_choices", "enrolment_id", "enrolments"),
        sa.ForeignKeyConstraint(["guardian_id"], ["guardians.id"], name=op.f("fk_family_choices_guardian_id")),
        _of_school("family_choices"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_choices")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_family_choices_school_id_id")),
    )
    op.create_index("ix_family_choices_enrolment", "family_choices", ["school_id", "enrolment_id"], unique=False)
    op.create_index("ix_family_choices_offer", "family_choices", ["school_id", "offer_id"], unique=False)


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    if table not in WRITTEN_ONCE:
        return
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take them away again; fails while an item of a plan has several prices."""
    for table in reversed(TABLES):
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
    _plan_key(NEW_KEY, OLD_KEY)
    op.drop_column("plan_items", "grades")
    op.drop_column("plan_items", "levels")
