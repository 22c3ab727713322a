"""Shape and guards of rounds: instalments, credit notes, supplementary rounds, lock.

A bill's due is what was billed less its credit notes; the triggers that bound allocations, voids and credit notes all
stand under the bill's advisory lock, so that no two of them decide on the same đồng.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW_TABLES = ["bill_credits", "bill_instalments", "correction_decisions", "corrections"]

ROUND_STATES = ["draft", "previewed", "submitted", "approved", "issued", "withdrawn"]
OLD_ROUND_STEPS = [
    "draft>draft",
    "draft>previewed",
    "previewed>previewed",
    "previewed>submitted",
    "submitted>previewed",
    "submitted>approved",
    "approved>issued",
    "approved>previewed",
    "draft>withdrawn",
    "previewed>withdrawn",
    "submitted>withdrawn",
    "approved>withdrawn",
]
ROUND_STEPS = [*OLD_ROUND_STEPS, "previewed>draft", "issued>locked", "locked>issued"]
OLD_BILL_KEY = "uq_bills_school_id_round_id_enrolment_id_bank_account_id"
BILL_KEY = "one_original_and_one_instead"
BILL_KEY_COLUMNS = ["school_id", "round_id", "enrolment_id", "bank_account_id"]

# What stays as it was once a round has been handed to the approver.
_PREVIEWED = """NEW.preview_digest IS DISTINCT FROM OLD.preview_digest
            OR NEW.family_total IS DISTINCT FROM OLD.family_total
            OR NEW.preview IS DISTINCT FROM OLD.preview"""

OLD_ROUND_IS_SETTLED = f"""
CREATE OR REPLACE FUNCTION round_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('issued', 'withdrawn') THEN
        RAISE EXCEPTION 'an issued or withdrawn round does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('submitted', 'approved', 'issued')
       AND ({_PREVIEWED}) THEN
        RAISE EXCEPTION 'what is approved is what was previewed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

ROUND_IS_SETTLED = f"""
CREATE OR REPLACE FUNCTION round_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    locks text[] := ARRAY['state', 'locked_by', 'locked_at', 'unlocked_by', 'unlocked_at', 'unlock_reason'];
BEGIN
    IF OLD.state = 'withdrawn' THEN
        RAISE EXCEPTION 'an issued or withdrawn round does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('issued', 'locked') THEN
        IF (to_jsonb(NEW) - locks) <> (to_jsonb(OLD) - locks) OR NEW.state = OLD.state THEN
            RAISE EXCEPTION 'an issued or withdrawn round does not change' USING ERRCODE = 'check_violation';
        END IF;
        IF OLD.state = 'locked'
           AND (NEW.locked_by IS DISTINCT FROM OLD.locked_by OR NEW.locked_at IS DISTINCT FROM OLD.locked_at) THEN
            RAISE EXCEPTION 'who locked a round stays written' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.kind <> OLD.kind OR NEW.base_round_id IS DISTINCT FROM OLD.base_round_id THEN
        RAISE EXCEPTION 'what a round supplements does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('submitted', 'approved', 'issued')
       AND ({_PREVIEWED}
            OR NEW.instalments IS DISTINCT FROM OLD.instalments
            OR NEW.due_on IS DISTINCT FROM OLD.due_on) THEN
        RAISE EXCEPTION 'what is approved is what was previewed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

OLD_ALLOCATION_FITS = r"""
CREATE OR REPLACE FUNCTION allocation_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bill record;
    payment record;
    on_bill bigint;
    of_payment bigint;
BEGIN
    -- One allocation of a bill at a time; the next statement sees what the one before committed.
    PERFORM pg_advisory_xact_lock(hashtextextended('bill ' || NEW.bill_id, 0));
    SELECT b.family_due, b.pupil_id, v.bill_id AS void INTO STRICT bill
      FROM bills b LEFT JOIN bill_voids v ON v.bill_id = b.id WHERE b.id = NEW.bill_id;
    SELECT p.amount, p.pupil_id, r.payment_id AS reversed INTO STRICT payment
      FROM payments p LEFT JOIN payment_reversals r ON r.payment_id = p.id WHERE p.id = NEW.payment_id;
    IF bill.void IS NOT NULL THEN
        RAISE EXCEPTION 'a void bill takes no money' USING ERRCODE = 'check_violation';
    END IF;
    IF payment.reversed IS NOT NULL THEN
        RAISE EXCEPTION 'a reversed payment pays nothing' USING ERRCODE = 'check_violation';
    END IF;
    IF bill.pupil_id <> payment.pupil_id THEN
        RAISE EXCEPTION 'a payment for one pupil cannot pay the bill of another' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(a.amount), 0) INTO on_bill FROM allocations a
      WHERE a.school_id = NEW.school_id AND a.bill_id = NEW.bill_id
        AND NOT EXISTS (SELECT 1 FROM payment_reversals r WHERE r.payment_id = a.payment_id);
    IF on_bill + NEW.amount > bill.family_due THEN
        RAISE EXCEPTION 'allocations exceed the bill' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(a.amount), 0) INTO of_payment FROM allocations a
      WHERE a.school_id = NEW.school_id AND a.payment_id = NEW.payment_id;
    IF of_payment + NEW.amount > payment.amount THEN
        RAISE EXCEPTION 'allocations exceed the payment' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

# A credit note lowers what a bill still takes.
ALLOCATION_FITS = OLD_ALLOCATION_FITS.replace(
    "    IF on_bill + NEW.amount > bill.family_due THEN",
    """    SELECT on_bill + coalesce(sum(c.off_rest), 0) INTO on_bill FROM bill_credits c
      WHERE c.school_id = NEW.school_id AND c.bill_id = NEW.bill_id;
    IF on_bill + NEW.amount > bill.family_due THEN""",
)

OLD_VOID_BILL_IS_UNPAID = r"""
CREATE OR REPLACE FUNCTION void_bill_is_unpaid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('bill ' || NEW.bill_id, 0));
    IF EXISTS (SELECT 1 FROM allocations a
               WHERE a.school_id = NEW.school_id AND a.bill_id = NEW.bill_id
               AND NOT EXISTS (SELECT 1 FROM payment_reversals r WHERE r.payment_id = a.payment_id)) THEN
        RAISE EXCEPTION 'a bill with money on it cannot be void' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

VOID_BILL_IS_UNPAID = OLD_VOID_BILL_IS_UNPAID.replace(
    "    RETURN NEW;",
    """    IF EXISTS (SELECT 1 FROM bill_credits c
               WHERE c.school_id = NEW.school_id AND c.bill_id = NEW.bill_id AND c.to_credit > 0) THEN
        RAISE EXCEPTION 'a bill of which money was given back cannot be void' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;""",
)

NEW_FUNCTIONS = r"""
CREATE FUNCTION credit_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bill record;
    line record;
    allocated bigint;
    given record;
    of_line bigint;
    of_state bigint;
    by_state bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('bill ' || NEW.bill_id, 0));
    SELECT b.family_due, v.bill_id AS void INTO STRICT bill
      FROM bills b LEFT JOIN bill_voids v ON v.bill_id = b.id WHERE b.id = NEW.bill_id;
    IF bill.void IS NOT NULL THEN
        RAISE EXCEPTION 'a void bill is not lowered' USING ERRCODE = 'check_violation';
    END IF;
    SELECT l.bill_id, l.family_share INTO STRICT line
      FROM bill_lines l WHERE l.school_id = NEW.school_id AND l.id = NEW.line_id;
    IF line.bill_id <> NEW.bill_id THEN
        RAISE EXCEPTION 'a credit note names a line of its own bill' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(a.amount), 0) INTO allocated FROM allocations a
      WHERE a.school_id = NEW.school_id AND a.bill_id = NEW.bill_id
        AND NOT EXISTS (SELECT 1 FROM payment_reversals r WHERE r.payment_id = a.payment_id);
    SELECT coalesce(sum(c.off_rest), 0) AS off_rest, coalesce(sum(c.to_credit), 0) AS to_credit INTO STRICT given
      FROM bill_credits c WHERE c.school_id = NEW.school_id AND c.bill_id = NEW.bill_id;
    IF NEW.off_rest > 0 AND given.off_rest + allocated + NEW.off_rest > bill.family_due THEN
        RAISE EXCEPTION 'a credit note takes off more than is open' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.to_credit > 0 AND given.to_credit + NEW.to_credit > allocated THEN
        RAISE EXCEPTION 'a credit note gives back more than was paid' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(c.off_rest + c.to_credit), 0), coalesce(sum(c.off_state), 0) INTO of_line, of_state
      FROM bill_credits c WHERE c.school_id = NEW.school_id AND c.line_id = NEW.line_id;
    IF of_line + NEW.off_rest + NEW.to_credit > line.family_share THEN
        RAISE EXCEPTION 'credit notes exceed the line' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(r.amount), 0) INTO by_state FROM bill_reductions r
      WHERE r.school_id = NEW.school_id AND r.line_id = NEW.line_id AND r.payer = 'state';
    IF of_state + NEW.off_state > by_state THEN
        RAISE EXCEPTION 'a credit note takes off more than the State owes' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Whoever corrects holds the round in a share lock, so that nobody locks it meanwhile.
CREATE FUNCTION round_takes_corrections() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    round_state text;
BEGIN
    SELECT r.state INTO STRICT round_state FROM billing_rounds r JOIN bills b ON b.round_id = r.id
      WHERE b.id = NEW.bill_id FOR SHARE OF r;
    IF round_state = 'locked' THEN
        RAISE EXCEPTION 'a locked round is not corrected' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION new_bills_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM billing_rounds r
               WHERE r.id IN (SELECT n.round_id FROM new_rows n) AND r.state = 'locked') THEN
        RAISE EXCEPTION 'a locked round is not corrected' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM new_rows n WHERE n.replaces_id IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM bills b JOIN bill_voids v ON v.bill_id = b.id
                 WHERE b.id = n.replaces_id AND b.round_id = n.round_id AND b.enrolment_id = n.enrolment_id
                   AND b.bank_account_id = n.bank_account_id)) THEN
        RAISE EXCEPTION 'a bill takes the place of a void one of the same round, pupil and account'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION instalments_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (
            SELECT i.bill_id, sum(i.amount) AS amount, count(*) AS parts, max(i.number) AS last
            FROM bill_instalments i WHERE i.bill_id IN (SELECT n.bill_id FROM new_rows n) GROUP BY i.bill_id) s
        JOIN bills b ON b.id = s.bill_id
        WHERE s.amount <> b.family_due OR s.parts <> s.last) THEN
        RAISE EXCEPTION 'instalments add up to what the family owes' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM bill_instalments i JOIN bill_instalments j
          ON j.school_id = i.school_id AND j.bill_id = i.bill_id AND j.number = i.number + 1
        WHERE i.bill_id IN (SELECT n.bill_id FROM new_rows n) AND j.due_on <= i.due_on) THEN
        RAISE EXCEPTION 'instalments are due one after the other' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION large_bill_has_instalments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM bill_instalments i WHERE i.school_id = NEW.school_id AND i.bill_id = NEW.id) THEN
        RAISE EXCEPTION 'a bill beyond one transfer is paid in instalments' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.approved AND EXISTS (SELECT 1 FROM corrections c
                                WHERE c.id = NEW.correction_id AND c.made_by = NEW.decided_by) THEN
        RAISE EXCEPTION 'whoever asked for a correction does not approve it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"


def upgrade() -> None:
    """Add what the room needs."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("schools", sa.Column("alert_percent", sa.Integer(), server_default="20", nullable=False))
    op.create_check_constraint(op.f("ck_schools_alert_percent_in_range"), "schools", "alert_percent BETWEEN 1 AND 1000")
    op.execute("GRANT UPDATE (alert_percent) ON schools TO hocphi_app")
    _widen_rounds()
    _widen_bills()
    _make_tables()
    _guard()


def _widen_rounds() -> None:
    op.add_column("billing_rounds", sa.Column("kind", sa.String(), server_default="regular", nullable=False))
    op.add_column("billing_rounds", sa.Column("base_round_id", sa.Uuid(), nullable=True))
    op.add_column(
        "billing_rounds", sa.Column("instalments", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False)
    )
    for name in ("locked", "unlocked"):
        op.add_column("billing_rounds", sa.Column(f"{name}_by", sa.Uuid(), nullable=True))
        op.add_column("billing_rounds", sa.Column(f"{name}_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("billing_rounds", sa.Column("unlock_reason", sa.String(), server_default="", nullable=False))
    op.execute(
        "GRANT UPDATE (instalments, locked_by, locked_at, unlocked_by, unlocked_at, unlock_reason) "
        "ON billing_rounds TO hocphi_app"
    )
    op.create_foreign_key(
        op.f("fk_billing_rounds_school_id_base_round_id"),
        "billing_rounds",
        "billing_rounds",
        ["school_id", "base_round_id"],
        ["school_id", "id"],
    )
    for name in ("state_known", "approved_by_a_person"):
        op.drop_constraint(op.f(f"ck_billing_rounds_{name}"), "billing_rounds", type_="check")
    listed = ", ".join(f"'{state}'" for state in [*ROUND_STATES[:5], "locked", "withdrawn"])
    for name, rule in (
        ("state_known", f"state IN ({listed})"),
        ("kind_known", "kind IN ('regular', 'supplementary')"),
        ("supplements_a_round", "(kind = 'supplementary') = (base_round_id IS NOT NULL)"),
        (
            "approved_by_a_person",
            "state NOT IN ('approved', 'issued', 'locked') OR (approved_by IS NOT NULL AND preview_digest IS NOT NULL)",
        ),
        ("locked_by_a_person", "(state = 'locked') = (locked_by IS NOT NULL AND unlocked_by IS NULL)"),
        ("unlocked_by_another", "unlocked_by IS NULL OR (unlocked_by <> locked_by AND unlock_reason <> '')"),
    ):
        op.create_check_constraint(op.f(f"ck_billing_rounds_{name}"), "billing_rounds", rule)


def _widen_bills() -> None:
    op.add_column("bills", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_bills_school_id_replaces_id"), "bills", "bills", ["school_id", "replaces_id"], ["school_id", "id"]
    )
    op.drop_constraint(OLD_BILL_KEY, "bills", type_="unique")
    op.create_unique_constraint(
        op.f(BILL_KEY), "bills", [*BILL_KEY_COLUMNS, "replaces_id"], postgresql_nulls_not_distinct=True
    )
    op.drop_constraint(op.f("ck_bills_below_napas_limit"), "bills", type_="check")


def _make_tables() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('void', 'replace', 'credit', 'price')", name=op.f("ck_corrections_kind_known")),
        sa.CheckConstraint("(kind = 'price') = (bill_id IS NULL)", name=op.f("ck_corrections_of_a_bill_or_a_round")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_corrections_reason_given")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_corrections_school_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "round_id"],
            ["billing_rounds.school_id", "billing_rounds.id"],
            name=op.f("fk_corrections_school_id_round_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "bill_id"], ["bills.school_id", "bills.id"], name=op.f("fk_corrections_school_id_bill_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_corrections_school_id_id")),
    )
    op.create_index("ix_corrections_round", "corrections", ["school_id", "round_id"], unique=False)
    op.create_table(
        "correction_decisions",
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_correction_decisions_school_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "correction_id"],
            ["corrections.school_id", "corrections.id"],
            name=op.f("fk_correction_decisions_school_id_correction_id"),
        ),
        sa.PrimaryKeyConstraint("correction_id", name=op.f("pk_correction_decisions")),
    )
    op.create_table(
        "bill_credits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("off_rest", sa.BigInteger(), nullable=False),
        sa.Column("to_credit", sa.BigInteger(), nullable=False),
        sa.Column("off_state", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "off_rest >= 0 AND to_credit >= 0 AND off_state >= 0 AND off_rest + to_credit + off_state > 0",
            name=op.f("ck_bill_credits_something_off"),
        ),
        sa.CheckConstraint("approved_by <> made_by", name=op.f("ck_bill_credits_two_people")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_bill_credits_school_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "bill_id"], ["bills.school_id", "bills.id"], name=op.f("fk_bill_credits_school_id_bill_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "line_id"],
            ["bill_lines.school_id", "bill_lines.id"],
            name=op.f("fk_bill_credits_school_id_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "correction_id"],
            ["corrections.school_id", "corrections.id"],
            name=op.f("fk_bill_credits_school_id_correction_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_credits")),
        sa.UniqueConstraint(
            "school_id", "correction_id", "line_id", name=op.f("uq_bill_credits_school_id_correction_id_line_id")
        ),
    )
    op.create_index("ix_bill_credits_bill", "bill_credits", ["school_id", "bill_id"], unique=False)
    op.create_table(
        "bill_instalments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_bill_instalments_number_above_zero")),
        sa.CheckConstraint("amount > 0 AND amount < 500000000", name=op.f("ck_bill_instalments_one_transfer")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_bill_instalments_school_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "bill_id"],
            ["bills.school_id", "bills.id"],
            name=op.f("fk_bill_instalments_school_id_bill_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_instalments")),
        sa.UniqueConstraint(
            "school_id", "bill_id", "number", name=op.f("uq_bill_instalments_school_id_bill_id_number")
        ),
    )


def _guard() -> None:
    for table in NEW_TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
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
    for function in (ROUND_IS_SETTLED, ALLOCATION_FITS, VOID_BILL_IS_UNPAID, NEW_FUNCTIONS):
        op.execute(function)
    _steps(ROUND_STEPS)
    for table, when, function in (
        ("bill_credits", "BEFORE INSERT", "credit_fits"),
        ("bill_credits", "BEFORE INSERT", "round_takes_corrections"),
        ("bill_voids", "BEFORE INSERT", "round_takes_corrections"),
        ("correction_decisions", "BEFORE INSERT", "decided_by_another"),
    ):
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    for table, function in (("bills", "new_bills_fit"), ("bill_instalments", "instalments_add_up")):
        op.execute(
            f"CREATE TRIGGER {function} AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE CONSTRAINT TRIGGER large_bill_has_instalments AFTER INSERT ON bills DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.family_due >= 500000000) EXECUTE FUNCTION large_bill_has_instalments()"
    )


def _steps(steps: list[str]) -> None:
    listed = ", ".join(f"'{step}'" for step in steps)
    op.execute("DROP TRIGGER allowed_step ON billing_rounds")
    op.execute(
        "CREATE TRIGGER allowed_step BEFORE UPDATE OF state ON billing_rounds "
        f"FOR EACH ROW EXECUTE FUNCTION allowed_step({listed})"
    )


def downgrade() -> None:
    """Take it away again; refused by the old checks while there is a locked round or a bill in place of another."""
    _steps(OLD_ROUND_STEPS)
    for function in (OLD_ROUND_IS_SETTLED, OLD_ALLOCATION_FITS, OLD_VOID_BILL_IS_UNPAID):
        op.execute(function)
    for table in ("bill_instalments", "bill_credits", "correction_decisions", "corrections"):
        op.drop_table(table)
    for function in (
        "credit_fits",
        "round_takes_corrections",
        "new_bills_fit",
        "instalments_add_up",
        "large_bill_has_instalments",
        "decided_by_another",
    ):
        op.execute(f"DROP FUNCTION {function} CASCADE")
    op.drop_constraint(op.f(BILL_KEY), "bills", type_="unique")
    op.create_unique_constraint(op.f(OLD_BILL_KEY), "bills", BILL_KEY_COLUMNS)
    op.create_check_constraint(op.f("ck_bills_below_napas_limit"), "bills", "family_due < 500000000")
    op.drop_constraint(op.f("fk_bills_school_id_replaces_id"), "bills", type_="foreignkey")
    op.drop_column("bills", "replaces_id")
    _narrow_rounds()
    op.drop_constraint(op.f("ck_schools_alert_percent_in_range"), "schools", type_="check")
    op.drop_column("schools", "alert_percent")


def _narrow_rounds() -> None:
    for name in (
        "unlocked_by_another",
        "locked_by_a_person",
        "approved_by_a_person",
        "supplements_a_round",
        "kind_known",
        "state_known",
    ):
        op.drop_constraint(op.f(f"ck_billing_rounds_{name}"), "billing_rounds", type_="check")
    listed = ", ".join(f"'{state}'" for state in ROUND_STATES)
    op.create_check_constraint(op.f("ck_billing_rounds_state_known"), "billing_rounds", f"state IN ({listed})")
    op.create_check_constraint(
        op.f("ck_billing_rounds_approved_by_a_person"),
        "billing_rounds",
        "state NOT IN ('approved', 'issued') OR (approved_by IS NOT NULL AND preview_digest IS NOT NULL)",
    )
    op.drop_constraint(op.f("fk_billing_rounds_school_id_base_round_id"), "billing_rounds", type_="foreignkey")
    for column in (
        "unlock_reason",
        "unlocked_at",
        "unlocked_by",
        "locked_at",
        "locked_by",
        "instalments",
        "base_round_id",
        "kind",
    ):
        op.drop_column("billing_rounds", column)
