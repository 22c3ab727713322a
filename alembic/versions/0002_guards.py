"""What the database itself refuses: roles' rights, row-level security, rows written once, sums, steps.

The roles exist already (``python -m service db prepare`` makes them). Lists are literals: a migration imports none
of our code, and stays what it was when the code moves on.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = [
    "allocations",
    "audit_details",
    "audit_entries",
    "audit_seals",
    "bank_accounts",
    "bill_lines",
    "bill_reductions",
    "bill_voids",
    "billing_rounds",
    "bills",
    "class_groups",
    "class_placements",
    "closed_periods",
    "daily_checks",
    "daily_heads",
    "enrolments",
    "events",
    "fee_items",
    "fee_prices",
    "feeds",
    "journal_entries",
    "ledger_accounts",
    "matches",
    "message_attempts",
    "messages",
    "notice_plans",
    "opt_ins",
    "payment_request_bills",
    "payment_requests",
    "payment_reversals",
    "payments",
    "postings",
    "receipt_books",
    "receipt_counters",
    "receipt_voids",
    "receipts",
    "reductions",
    "seals",
    "statement_files",
    "statement_lines",
    "transfer_steps",
    "transfers",
    "virtual_accounts",
]

OPEN_TABLES = [
    "access_events",
    "authorities",
    "fee_caps",
    "inbox",
    "inbox_results",
    "jobs",
    "link_tokens",
    "province_heads",
    "provider_tokens",
    "pupil_codes",
    "reference_registry",
    "role_grants",
    "staff_sessions",
    "users",
]

WRITTEN_ONCE = [
    "access_events",
    "allocations",
    "audit_entries",
    "audit_seals",
    "bill_lines",
    "bill_reductions",
    "bill_voids",
    "bills",
    "closed_periods",
    "daily_checks",
    "daily_heads",
    "events",
    "inbox",
    "inbox_results",
    "journal_entries",
    "matches",
    "message_attempts",
    "notice_plans",
    "payment_request_bills",
    "payment_reversals",
    "payments",
    "postings",
    "province_heads",
    "pupil_codes",
    "receipt_books",
    "receipt_voids",
    "receipts",
    "reference_registry",
    "seals",
    "statement_files",
    "transfer_steps",
]

# The columns that the application may change; a table that stands neither here nor above cannot be changed at all.
CHANGEABLE = {
    "audit_details": "salt details",
    "authorities": "name",
    "bank_accounts": "holder told_by only_virtual can_qr memo_code closed_on approved_by",
    "billing_rounds": "name period_from period_to meal_days due_on state preview_digest preview family_total made_by "
    "submitted_at approved_by approved_at issued_at",
    "class_groups": "name",
    "class_placements": "valid_to",
    "contacts": "sealed blind masked valid_to",
    "enrolments": "state ended_on",
    "fee_caps": "valid_to",
    "fee_items": "legal_name legal_basis revenue_account bank_account_id carry_over opt_in position valid_to",
    "fee_prices": "valid_to",
    "feeds": "secret_sealed previous_secret_sealed hold_above path_hash closed_at",
    "guardians": "full_name language",
    "guardianships": "relation may_see_bills receives_notices valid_to",
    "jobs": "state attempts run_after lease_until last_error done_at",
    "ledger_accounts": "name",
    "link_tokens": "expires_at revoked_at",
    "messages": "state attempts next_try_at lease_until provider_id",
    "opt_ins": "valid_to",
    "payment_requests": "link_version",
    "provider_tokens": "access_sealed refresh_sealed expires_at refreshed_at",
    "pupils": "full_name birth_date sex nationality citizen_sealed citizen_blind",
    "receipt_counters": "last_number",
    "reductions": "valid_to approved_by",
    "role_grants": "valid_to",
    "schools": "authority_id name kind levels zone legacy_area address phone budget_code language",
    "staff_sessions": "seen_at ended_at",
    "statement_lines": "transfer_id",
    "transfers": "state",
    "users": "full_name password_hash must_change_password second_factor_sealed disabled_at",
    "virtual_accounts": "pupil_id assigned_at released_at",
}

# Rows that change only in the named columns, whoever asks (the others are held by the application's rights).
FROZEN_BUT = {
    "transfers": ["state"],
    "payment_requests": ["link_version"],
    "statement_lines": ["transfer_id"],
    "receipt_counters": ["last_number"],
}

ALLOWED_STEPS = [
    "new>held",
    "new>waiting",
    "new>matched",
    "new>ignored_out",
    "new>duplicate",
    "new>quarantined",
    "held>new",
    "held>quarantined",
    "waiting>matched",
    "waiting>refunding",
    "waiting>reversed",
    "waiting>duplicate",
    "matched>waiting",
    "matched>refunding",
    "matched>reversed",
    "refunding>refunded",
    "refunding>waiting",
    "refunding>matched",
    "quarantined>new",
]

ALLOWED_ROUND_STEPS = [
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

REPORT_HIDDEN = {
    "contacts",
    "inbox",
    "link_tokens",
    "provider_tokens",
    "staff_sessions",
    "users",
    "feeds",
    "audit_details",
}

SCOPE_FUNCTIONS = r"""
CREATE FUNCTION app_sees_all() RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT coalesce(current_setting('app.schools', true), '') = '*' $$;

CREATE FUNCTION app_schools() RETURNS uuid[] LANGUAGE sql STABLE AS
$$ SELECT CASE WHEN coalesce(current_setting('app.schools', true), '') IN ('', '*') THEN '{}'::uuid[]
               ELSE string_to_array(current_setting('app.schools', true), ',')::uuid[] END $$;

CREATE FUNCTION app_guardians() RETURNS uuid[] LANGUAGE sql STABLE AS
$$ SELECT CASE WHEN coalesce(current_setting('app.guardians', true), '') = '' THEN '{}'::uuid[]
               ELSE string_to_array(current_setting('app.guardians', true), ',')::uuid[] END $$;
"""

TRIGGER_FUNCTIONS = r"""
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are written once', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION change_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR (to_jsonb(NEW) - TG_ARGV) <> (to_jsonb(OLD) - TG_ARGV) THEN
        RAISE EXCEPTION 'rows of % change only in %', TG_TABLE_NAME, TG_ARGV USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION allowed_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (OLD.state || '>' || NEW.state = ANY (TG_ARGV)) THEN
        RAISE EXCEPTION 'a row of % cannot go from % to %', TG_TABLE_NAME, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION round_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('issued', 'withdrawn') THEN
        RAISE EXCEPTION 'an issued or withdrawn round does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('submitted', 'approved', 'issued')
       AND (NEW.preview_digest IS DISTINCT FROM OLD.preview_digest
            OR NEW.family_total IS DISTINCT FROM OLD.family_total
            OR NEW.preview IS DISTINCT FROM OLD.preview) THEN
        RAISE EXCEPTION 'what is approved is what was previewed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION allocation_fits() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION void_bill_is_unpaid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('bill ' || NEW.bill_id, 0));
    IF EXISTS (SELECT 1 FROM allocations a
               WHERE a.school_id = NEW.school_id AND a.bill_id = NEW.bill_id
               AND NOT EXISTS (SELECT 1 FROM payment_reversals r WHERE r.payment_id = a.payment_id)) THEN
        RAISE EXCEPTION 'a bill with money on it cannot be void' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION receipt_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
    received bigint;
BEGIN
    SELECT last_number INTO STRICT last FROM receipt_counters WHERE book_id = NEW.book_id;
    IF NEW.number <> last OR (NEW.number > 1 AND NOT EXISTS (
        SELECT 1 FROM receipts r
        WHERE r.school_id = NEW.school_id AND r.book_id = NEW.book_id AND r.number = NEW.number - 1)) THEN
        RAISE EXCEPTION 'receipt % does not follow number % of its book', NEW.number, last
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT amount INTO STRICT received FROM payments WHERE id = NEW.payment_id;
    IF received <> NEW.amount THEN
        RAISE EXCEPTION 'a receipt states what was received' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION counter_steps_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_number <> OLD.last_number + 1 THEN
        RAISE EXCEPTION 'a receipt counter goes up by one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

IN_SCOPE = "((SELECT app_sees_all()) OR {column} = ANY ((SELECT app_schools())::uuid[]))"
BY_ENROLMENT = "EXISTS (SELECT 1 FROM enrolments e WHERE e.pupil_id = {column})"
MINE = "{column} = ANY ((SELECT app_guardians())::uuid[])"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("CREATE SEQUENCE reference_numbers AS bigint START 1")
    op.execute(SCOPE_FUNCTIONS)
    op.execute(TRIGGER_FUNCTIONS)
    _grant()
    _isolate()
    _freeze()
    _attach_sums_and_steps()


def _grant() -> None:
    op.execute("GRANT USAGE ON SCHEMA public TO hocphi_app, hocphi_door, hocphi_sealer, hocphi_report")
    op.execute("GRANT USAGE ON SEQUENCE reference_numbers TO hocphi_app")
    everything = [*TENANT_TABLES, *OPEN_TABLES, "schools", "pupils", "guardians", "guardianships", "contacts"]
    for table in everything:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        if table not in REPORT_HIDDEN:
            op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute("GRANT SELECT ON alembic_version TO hocphi_app")
    for table, columns in CHANGEABLE.items():
        op.execute(f"GRANT UPDATE ({', '.join(columns.split())}) ON {table} TO hocphi_app")
    op.execute("GRANT INSERT (feed_id, digest, body_sealed, headers, received_at) ON inbox TO hocphi_door")
    for table in ("journal_entries", "postings", "audit_entries", "ledger_accounts", "schools"):
        op.execute(f"GRANT SELECT ON {table} TO hocphi_sealer")
    for table in ("seals", "audit_seals", "daily_heads", "province_heads"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_sealer")
        op.execute(f"REVOKE INSERT ON {table} FROM hocphi_app")


def _isolate() -> None:
    policies = {table: IN_SCOPE.format(column="school_id") for table in TENANT_TABLES}
    policies["schools"] = IN_SCOPE.format(column="id")
    seen = " OR ".join([IN_SCOPE.format(column="entered_by_school_id"), BY_ENROLMENT.format(column="pupils.id")])
    policies["guardianships"] = (
        f"{BY_ENROLMENT.format(column='guardianships.pupil_id')} OR {MINE.format(column='guardian_id')}"
    )
    by_guardian = "EXISTS (SELECT 1 FROM guardianships g WHERE g.{own} = {column})"
    policies["pupils"] = f"{seen} OR {by_guardian.format(own='pupil_id', column='pupils.id')}"
    policies["guardians"] = " OR ".join(
        [
            IN_SCOPE.format(column="entered_by_school_id"),
            by_guardian.format(own="guardian_id", column="guardians.id"),
            MINE.format(column="id"),
        ],
    )
    policies["contacts"] = "EXISTS (SELECT 1 FROM guardians g WHERE g.id = contacts.guardian_id)"
    for table, rule in policies.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({rule}) WITH CHECK ({rule})")


def _freeze() -> None:
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        )
    for table in [*WRITTEN_ONCE, *FROZEN_BUT]:
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        )
    for table, columns in FROZEN_BUT.items():
        listed = ", ".join(f"'{column}'" for column in columns)
        op.execute(
            f"CREATE TRIGGER change_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION change_only({listed})",
        )


def _attach_sums_and_steps() -> None:
    steps = ", ".join(f"'{step}'" for step in ALLOWED_STEPS)
    op.execute(
        f"CREATE TRIGGER allowed_step BEFORE UPDATE OF state ON transfers FOR EACH ROW EXECUTE FUNCTION allowed_step({steps})",
    )
    steps = ", ".join(f"'{step}'" for step in ALLOWED_ROUND_STEPS)
    op.execute(
        "CREATE TRIGGER allowed_step BEFORE UPDATE OF state ON billing_rounds "
        f"FOR EACH ROW EXECUTE FUNCTION allowed_step({steps})",
    )
    for table, when, function in (
        ("billing_rounds", "BEFORE UPDATE", "round_is_settled"),
        ("allocations", "BEFORE INSERT", "allocation_fits"),
        ("bill_voids", "BEFORE INSERT", "void_bill_is_unpaid"),
        ("receipts", "BEFORE INSERT", "receipt_follows"),
        ("receipt_counters", "BEFORE UPDATE", "counter_steps_by_one"),
    ):
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    for table in [*TENANT_TABLES, *OPEN_TABLES, "schools", "pupils", "guardians", "guardianships", "contacts"]:
        op.execute(f"DROP POLICY IF EXISTS in_scope ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"REVOKE ALL ON {table} FROM hocphi_app, hocphi_door, hocphi_sealer, hocphi_report")
    for function in (
        "refuse_change",
        "change_only",
        "allowed_step",
        "round_is_settled",
        "allocation_fits",
        "void_bill_is_unpaid",
        "receipt_follows",
        "counter_steps_by_one",
        "app_sees_all",
        "app_schools",
        "app_guardians",
    ):
        op.execute(f"DROP FUNCTION {function} CASCADE")
    op.execute("DROP SEQUENCE reference_numbers")
