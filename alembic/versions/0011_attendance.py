"""Shape and guards of attendance: whose class it is, days off, absences, closed months; corrections by attended days.

What a class's closed month holds is changed by nobody but the office, with a reason, and only by adding to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TENANT_TABLES = ["absences", "attendance_months", "class_teachers", "school_days_off"]
CHANGEABLE = {
    "absences": "withdrawn_by, withdrawn_at",
    "class_teachers": "valid_to",
    "school_days_off": "cancelled_by, cancelled_at",
}
REPORTED = ["attendance_months", "school_days_off"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"

FUNCTIONS = r"""
CREATE FUNCTION absence_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        hashtextextended('attendance ' || NEW.class_id || ' ' || date_trunc('month', NEW.day)::date, 0));
    IF NOT EXISTS (SELECT 1 FROM enrolments e JOIN class_placements p ON p.enrolment_id = e.id
                   WHERE e.school_id = NEW.school_id AND e.id = NEW.enrolment_id AND p.class_id = NEW.class_id
                     AND NEW.day BETWEEN e.started_on AND coalesce(e.ended_on, 'infinity')
                     AND NEW.day BETWEEN p.valid_from AND coalesce(p.valid_to, 'infinity')) THEN
        RAISE EXCEPTION 'nobody is absent from a class of another day' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM school_days_off d
               WHERE d.school_id = NEW.school_id AND d.day = NEW.day AND d.cancelled_at IS NULL) THEN
        RAISE EXCEPTION 'nobody is absent on a day off' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.after_close <> EXISTS (SELECT 1 FROM attendance_months m
               WHERE m.school_id = NEW.school_id AND m.class_id = NEW.class_id
                 AND m.month = date_trunc('month', NEW.day)::date) THEN
        RAISE EXCEPTION 'a closed month takes late absences only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION absence_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        hashtextextended('attendance ' || OLD.class_id || ' ' || date_trunc('month', OLD.day)::date, 0));
    IF OLD.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'an absence is taken back once' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.credited AND EXISTS (SELECT 1 FROM attendance_months m
               WHERE m.school_id = OLD.school_id AND m.class_id = OLD.class_id
                 AND m.month = date_trunc('month', OLD.day)::date) THEN
        RAISE EXCEPTION 'a closed month keeps its absences' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION month_closes_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('attendance ' || NEW.class_id || ' ' || NEW.month, 0));
    RETURN NEW;
END $$;

CREATE FUNCTION day_off_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.cancelled_at IS NOT NULL THEN
        RAISE EXCEPTION 'a day off is taken back once' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM attendance_months m WHERE m.school_id = OLD.school_id
                 AND m.month = date_trunc('month', OLD.day)::date) THEN
        RAISE EXCEPTION 'a closed month keeps its days off' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
TRIGGERS = [
    ("absences", "absence_fits", "BEFORE INSERT"),
    ("absences", "absence_ends_once", "BEFORE UPDATE"),
    ("attendance_months", "month_closes_alone", "BEFORE INSERT"),
    ("school_days_off", "day_off_ends_once", "BEFORE UPDATE"),
]
OLD_KINDS = "kind IN ('void', 'replace', 'credit', 'price')"
NEW_KINDS = "kind IN ('void', 'replace', 'credit', 'price', 'attendance')"
OLD_OF = "(kind = 'price') = (bill_id IS NULL)"
NEW_OF = "(kind IN ('price', 'attendance')) = (bill_id IS NULL)"


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add the room's tables and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("schools", sa.Column("meal_cutoff", sa.Time(), server_default="08:00:00", nullable=False))
    op.execute("GRANT UPDATE (meal_cutoff) ON schools TO hocphi_app")
    _tables()
    _indexes()
    for statement in FUNCTIONS.strip().split("\n\n"):
        op.execute(statement)
    for table, function, when in TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    _guard()
    _corrections(NEW_KINDS, NEW_OF)


def _tables() -> None:
    op.create_table(
        "class_teachers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_class_teachers_dates_in_order")),
        _in_class("class_teachers"),
        _of_school("class_teachers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_teachers")),
    )
    op.create_table(
        "school_days_off",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        _moment("cancelled_at", nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_school_days_off_reason_given")),
        sa.CheckConstraint(
            "(cancelled_by IS NULL) = (cancelled_at IS NULL)", name=op.f("ck_school_days_off_cancelled_by_a_person")
        ),
        _of_school("school_days_off"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_days_off")),
    )
    op.create_table(
        "absences",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("credited", sa.Boolean(), nullable=False),
        sa.Column("after_close", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        _moment("withdrawn_at", nullable=True),
        sa.CheckConstraint("entered_by IN ('teacher', 'office')", name=op.f("ck_absences_entered_by_known")),
        sa.CheckConstraint(
            "NOT after_close OR (entered_by = 'office' AND reason <> '')", name=op.f("ck_absences_late_by_the_office")
        ),
        sa.CheckConstraint(
            "(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", name=op.f("ck_absences_withdrawn_by_a_person")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_absences_school_id_enrolment_id"),
        ),
        _in_class("absences"),
        _of_school("absences"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_table(
        "attendance_months",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=False),
        _moment("closed_at"),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_attendance_months_first_of_the_month")),
        _in_class("attendance_months"),
        _of_school("attendance_months"),
        sa.PrimaryKeyConstraint("class_id", "month", name=op.f("pk_attendance_months")),
    )


def _in_class(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", "class_id"],
        ["class_groups.school_id", "class_groups.id"],
        name=op.f(f"fk_{table}_school_id_class_id"),
    )


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _indexes() -> None:
    op.create_index(op.f("ix_class_teachers_user_id"), "class_teachers", ["user_id"], unique=False)
    op.create_index("ix_absences_class", "absences", ["school_id", "class_id", "day"], unique=False)
    op.create_index("ix_attendance_months_school", "attendance_months", ["school_id", "month"], unique=False)
    for name, table, columns, where in (
        ("uq_class_teachers_open", "class_teachers", ["class_id", "user_id"], "valid_to IS NULL"),
        ("uq_school_days_off_live", "school_days_off", ["school_id", "day"], "cancelled_at IS NULL"),
        ("uq_absences_live", "absences", ["enrolment_id", "day"], "withdrawn_at IS NULL"),
    ):
        op.create_index(name, table, columns, unique=True, postgresql_where=sa.text(where))


def _guard() -> None:
    for table in TENANT_TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    for table in REPORTED:
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    for table, columns in CHANGEABLE.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO hocphi_app")
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON attendance_months "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON attendance_months "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _corrections(kinds: str, of: str) -> None:
    for name, condition in (("kind_known", kinds), ("of_a_bill_or_a_round", of)):
        op.drop_constraint(op.f(f"ck_corrections_{name}"), "corrections", type_="check")
        op.create_check_constraint(op.f(f"ck_corrections_{name}"), "corrections", condition)


def downgrade() -> None:
    """Take them away again."""
    _corrections(OLD_KINDS, OLD_OF)
    for table in ("absences", "attendance_months", "class_teachers", "school_days_off"):
        op.drop_table(table)
    for _, function, _ in TRIGGERS:
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_column("schools", "meal_cutoff")
