"""Shape and guards of claims: rates, to whom support goes, lists for the State, what it paid, and payouts.

A pupil's month belongs to one school of the province, and a school sees only its own rows: so two functions and the
triggers look at all schools for a moment, and answer with no more than is needed.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TENANT_TABLES = ["entitlements", "payouts", "state_claim_lines", "state_claims", "state_payments", "support_choices"]
NEW_TABLES = ["council_rates", *TENANT_TABLES]
WRITTEN_ONCE = ["payouts", "state_claim_lines", "state_payments"]
CHANGEABLE = {
    "council_rates": "valid_to",
    "entitlements": "valid_to approved_by approved_at withdrawn_at",
    "state_claims": "state digest total pupils notes made_by submitted_at approved_by approved_at sent_at",
    "support_choices": "approved_by approved_at withdrawn_at",
}
# Names of poor pupils stand in the others.
REPORTED = ["council_rates", "state_claims", "state_payments", "support_choices"]
CLAIM_STEPS = [
    "draft>draft",
    "draft>submitted",
    "submitted>draft",
    "submitted>approved",
    "approved>sent",
    "draft>withdrawn",
    "submitted>withdrawn",
]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
FUNCTIONS = [
    "claim_line_follows()",
    "claim_is_settled()",
    "payout_is_due()",
    "stays_elsewhere(uuid[], uuid, date, date)",
    "months_claimed(uuid[], text, uuid, date, date)",
]

MAKE_FUNCTIONS = r"""
CREATE FUNCTION stays_elsewhere(pupils uuid[], here uuid, first_day date, last_day date)
RETURNS TABLE (pupil_id uuid, school_id uuid, started_on date, ended_on date) LANGUAGE plpgsql AS $$
DECLARE
    scope text := coalesce(current_setting('app.schools', true), '');
BEGIN
    PERFORM set_config('app.schools', '*', true);
    RETURN QUERY SELECT e.pupil_id, e.school_id, e.started_on, e.ended_on FROM enrolments e
      WHERE e.pupil_id = ANY (pupils) AND e.school_id <> here
        AND e.started_on <= last_day AND (e.ended_on IS NULL OR e.ended_on >= first_day);
    PERFORM set_config('app.schools', scope, true);
END $$;

CREATE FUNCTION months_claimed(pupils uuid[], of_kind text, here uuid, first_month date, last_month date)
RETURNS TABLE (pupil_id uuid, month date, revision int, amount bigint, ours boolean) LANGUAGE plpgsql AS $$
DECLARE
    scope text := coalesce(current_setting('app.schools', true), '');
BEGIN
    PERFORM set_config('app.schools', '*', true);
    RETURN QUERY SELECT DISTINCT ON (l.pupil_id, l.month) l.pupil_id, l.month, l.revision, l.amount, l.school_id = here
      FROM state_claim_lines l
      WHERE l.pupil_id = ANY (pupils) AND l.purpose = CASE WHEN of_kind = 'learning_cost' THEN 'learning' ELSE 'tuition' END AND l.month BETWEEN first_month AND last_month
      ORDER BY l.pupil_id, l.month, l.revision DESC;
    PERFORM set_config('app.schools', scope, true);
END $$;

CREATE FUNCTION claim_line_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    scope text := coalesce(current_setting('app.schools', true), '');
    claim record;
    last record;
    months int;
    -- A generated column has no value yet in a trigger that runs before the row.
    aim text := CASE WHEN NEW.kind = 'learning_cost' THEN 'learning' ELSE 'tuition' END;
BEGIN
    SELECT c.kind, c.school_year, c.state, c.first_month, c.last_month INTO STRICT claim
      FROM state_claims c WHERE c.school_id = NEW.school_id AND c.id = NEW.claim_id;
    IF claim.state <> 'submitted' OR claim.kind <> NEW.kind OR claim.school_year <> NEW.school_year
       OR NEW.month NOT BETWEEN claim.first_month AND claim.last_month THEN
        RAISE EXCEPTION 'a line belongs to the claim that is being approved' USING ERRCODE = 'check_violation';
    END IF;
    -- One line of a pupil at a time, whichever school it is of.
    PERFORM pg_advisory_xact_lock(hashtextextended('claim ' || NEW.pupil_id, 0));
    PERFORM set_config('app.schools', '*', true);
    SELECT l.revision, l.amount, l.school_id INTO last FROM state_claim_lines l
      WHERE l.pupil_id = NEW.pupil_id AND l.purpose = aim AND l.month = NEW.month ORDER BY l.revision DESC LIMIT 1;
    SELECT count(*) INTO months FROM (
        SELECT DISTINCT ON (l.month) l.month, l.amount FROM state_claim_lines l
        WHERE l.pupil_id = NEW.pupil_id AND l.purpose = aim AND l.school_year = NEW.school_year
          AND l.month <> NEW.month
        ORDER BY l.month, l.revision DESC) latest WHERE latest.amount > 0;
    PERFORM set_config('app.schools', scope, true);
    IF NEW.revision <> coalesce(last.revision + 1, 0) OR NEW.previous <> coalesce(last.amount, 0) THEN
        RAISE EXCEPTION 'a line follows the one before it' USING ERRCODE = 'check_violation';
    END IF;
    IF last.amount > 0 AND last.school_id <> NEW.school_id THEN
        RAISE EXCEPTION 'another school has claimed this month' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.amount > 0 AND months + 1 > coalesce(NEW.months_cap, 12) THEN
        RAISE EXCEPTION 'more months than the State pays in a year' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION claim_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sum_of_lines bigint;
BEGIN
    IF OLD.state = 'approved' AND (NEW.state <> 'sent'
           OR (to_jsonb(NEW) - ARRAY['state', 'sent_at']) <> (to_jsonb(OLD) - ARRAY['state', 'sent_at']))
       OR OLD.state IN ('sent', 'withdrawn') THEN
        RAISE EXCEPTION 'an approved or withdrawn claim does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('submitted', 'approved')
       AND (NEW.digest IS DISTINCT FROM OLD.digest OR NEW.total IS DISTINCT FROM OLD.total) THEN
        RAISE EXCEPTION 'what is approved is what was calculated' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'approved' THEN
        SELECT coalesce(sum(l.amount - l.previous), 0) INTO sum_of_lines FROM state_claim_lines l
          WHERE l.school_id = NEW.school_id AND l.claim_id = NEW.id;
        IF sum_of_lines IS DISTINCT FROM NEW.total THEN
            RAISE EXCEPTION 'the lines of a claim add up to it' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION payout_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due bigint;
    paid bigint;
    undone record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('payout ' || NEW.claim_id || NEW.pupil_id, 0));
    IF NEW.reverses_id IS NOT NULL THEN
        SELECT p.claim_id, p.pupil_id, p.amount, p.reverses_id INTO STRICT undone FROM payouts p
          WHERE p.school_id = NEW.school_id AND p.id = NEW.reverses_id;
        IF undone.reverses_id IS NOT NULL
           OR (undone.claim_id, undone.pupil_id, undone.amount) <> (NEW.claim_id, NEW.pupil_id, NEW.amount) THEN
            RAISE EXCEPTION 'a payout is undone as it was made' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT coalesce(sum(l.amount - l.previous), 0) INTO due FROM state_claim_lines l
      WHERE l.school_id = NEW.school_id AND l.claim_id = NEW.claim_id AND l.pupil_id = NEW.pupil_id
        AND l.kind = 'learning_cost';
    SELECT count(*) INTO paid FROM payouts p
      WHERE p.school_id = NEW.school_id AND p.claim_id = NEW.claim_id AND p.pupil_id = NEW.pupil_id
        AND p.reverses_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM payouts r WHERE r.school_id = p.school_id AND r.reverses_id = p.id);
    IF paid > 0 OR due <> NEW.amount THEN
        RAISE EXCEPTION 'a line of the list is paid once, and in full' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    """Add what the room needs."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _create()
    op.execute(MAKE_FUNCTIONS)
    for table in NEW_TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    for table, columns in CHANGEABLE.items():
        op.execute(f"GRANT UPDATE ({', '.join(columns.split())}) ON {table} TO hocphi_app")
    for table in REPORTED:
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        )
    steps = ", ".join(f"'{step}'" for step in CLAIM_STEPS)
    op.execute(
        "CREATE TRIGGER allowed_step BEFORE UPDATE OF state ON state_claims "
        f"FOR EACH ROW EXECUTE FUNCTION allowed_step({steps})",
    )
    for table, when, function in (
        ("state_claims", "BEFORE UPDATE", "claim_is_settled"),
        ("state_claim_lines", "BEFORE INSERT", "claim_line_follows"),
        ("payouts", "BEFORE INSERT", "payout_is_due"),
    ):
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def _create() -> None:
    op.create_table(
        "council_rates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("legacy_area", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('tuition_compensation', 'private_support', 'learning_cost')",
            name=op.f("ck_council_rates_kind_known"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_council_rates_amount_above_zero")),
        sa.CheckConstraint("months BETWEEN 1 AND 12", name=op.f("ck_council_rates_months_of_a_year")),
        sa.ForeignKeyConstraint(["authority_id"], ["authorities.id"], name=op.f("fk_council_rates_authority_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_council_rates")),
        sa.UniqueConstraint(
            "authority_id", "kind", "level", "zone", "legacy_area", "valid_from", name="uq_council_rates_place_and_day"
        ),
    )
    op.create_table(
        "support_choices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("payee", sa.String(), nullable=False),
        sa.Column("decision_number", sa.String(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("payee IN ('family', 'school')", name=op.f("ck_support_choices_payee_known")),
        sa.CheckConstraint(
            "valid_from = date_trunc('month', valid_from)::date", name=op.f("ck_support_choices_from_the_first")
        ),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name=op.f("ck_support_choices_two_people")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_support_choices_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_choices")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_support_choices_school_id_id")),
    )
    op.create_index(
        "uq_support_choices_live",
        "support_choices",
        ["school_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "state_claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("instalment", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("last_month", sa.Date(), nullable=False),
        sa.Column("chapter_code", sa.String(length=10), nullable=False),
        sa.Column("category_code", sa.String(length=10), nullable=False),
        sa.Column("economic_code", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('tuition_compensation', 'private_support', 'learning_cost')",
            name=op.f("ck_state_claims_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'sent', 'withdrawn')", name=op.f("ck_state_claims_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'sent') OR (approved_by IS NOT NULL AND digest IS NOT NULL)",
            name=op.f("ck_state_claims_approved_by_a_person"),
        ),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name=op.f("ck_state_claims_two_people")),
        sa.CheckConstraint("instalment IN (1, 2)", name=op.f("ck_state_claims_two_instalments")),
        sa.CheckConstraint("last_month >= first_month", name=op.f("ck_state_claims_months_in_order")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_state_claims_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_claims")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_state_claims_school_id_id")),
    )
    op.create_index(
        "uq_state_claims_number",
        "state_claims",
        ["school_id", "kind", "school_year", "instalment", "number"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_table(
        "state_claim_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "purpose",
            sa.String(),
            sa.Computed("CASE WHEN kind = 'learning_cost' THEN 'learning' ELSE 'tuition' END", persisted=True),
            nullable=False,
        ),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("months_cap", sa.Integer(), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payee", sa.String(), nullable=False),
        sa.Column("class_name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('tuition_compensation', 'private_support', 'learning_cost')",
            name=op.f("ck_state_claim_lines_kind_known"),
        ),
        sa.CheckConstraint(
            "month = date_trunc('month', month)::date", name=op.f("ck_state_claim_lines_first_of_month")
        ),
        sa.CheckConstraint("payee IN ('family', 'school')", name=op.f("ck_state_claim_lines_payee_known")),
        sa.CheckConstraint("amount <> previous", name=op.f("ck_state_claim_lines_a_difference")),
        sa.CheckConstraint(
            "amount >= 0 AND previous >= 0 AND rate >= 0", name=op.f("ck_state_claim_lines_not_negative")
        ),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_state_claim_lines_revision_counts")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_state_claim_lines_pupil_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "claim_id"],
            ["state_claims.school_id", "state_claims.id"],
            name=op.f("fk_state_claim_lines_school_id_claim_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_state_claim_lines_school_id_enrolment_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_state_claim_lines_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_claim_lines")),
        sa.UniqueConstraint(
            "pupil_id",
            "purpose",
            "month",
            "revision",
            name=op.f("uq_state_claim_lines_pupil_id_purpose_month_revision"),
        ),
    )
    op.create_index("ix_state_claim_lines_claim", "state_claim_lines", ["school_id", "claim_id"], unique=False)
    op.create_table(
        "state_payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(way = 'families') = (entry_id IS NULL)", name=op.f("ck_state_payments_ours_is_posted")),
        sa.CheckConstraint("way IN ('treasury', 'cash', 'families')", name=op.f("ck_state_payments_way_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_state_payments_amount_above_zero")),
        sa.ForeignKeyConstraint(
            ["school_id", "claim_id"],
            ["state_claims.school_id", "state_claims.id"],
            name=op.f("fk_state_payments_school_id_claim_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "entry_id"],
            ["journal_entries.school_id", "journal_entries.id"],
            name=op.f("fk_state_payments_school_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "reverses_id"],
            ["state_payments.school_id", "state_payments.id"],
            name=op.f("fk_state_payments_school_id_reverses_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_state_payments_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_payments")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_state_payments_school_id_id")),
        sa.UniqueConstraint("school_id", "reverses_id", name=op.f("uq_state_payments_school_id_reverses_id")),
    )
    op.create_table(
        "entitlements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("class_code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name=op.f("ck_entitlements_two_people")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_entitlements_dates_in_order")),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_entitlements_school_id_enrolment_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_entitlements_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlements")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_entitlements_school_id_id")),
    )
    op.create_index("ix_entitlements_enrolment", "entitlements", ["school_id", "enrolment_id"], unique=False)
    op.create_table(
        "payouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("received_by", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("way IN ('cash', 'transfer')", name=op.f("ck_payouts_way_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payouts_amount_above_zero")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_payouts_pupil_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "claim_id"],
            ["state_claims.school_id", "state_claims.id"],
            name=op.f("fk_payouts_school_id_claim_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "entry_id"],
            ["journal_entries.school_id", "journal_entries.id"],
            name=op.f("fk_payouts_school_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "reverses_id"],
            ["payouts.school_id", "payouts.id"],
            name=op.f("fk_payouts_school_id_reverses_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_payouts_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_payouts_school_id_id")),
        sa.UniqueConstraint("school_id", "reverses_id", name=op.f("uq_payouts_school_id_reverses_id")),
    )
    op.create_index("ix_payouts_claim", "payouts", ["school_id", "claim_id", "pupil_id"], unique=False)


def downgrade() -> None:
    """Take it away again."""
    for table in (
        "payouts",
        "entitlements",
        "state_payments",
        "state_claim_lines",
        "state_claims",
        "support_choices",
        "council_rates",
    ):
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
