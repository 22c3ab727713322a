"""Who may enrol a child and who may correct it: proof at the door, and UPDATE rights that end with the studies.

Codes of pupils are open, so an enrolment alone must not open a child to a school. The functions look at the schools
of the whole province on behalf of their caller and answer yes or no; they never hand out a row.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Each runs as the owner (SECURITY DEFINER), who is himself held by the policies. It looks through all schools for the
# length of one question and puts the caller's scope back. A ``SET`` clause would read better, but only a superuser may
# name a custom setting there, and the owner is none. An error ends the caller's (sub)transaction and the scope with it.
LOOKING = r"""
CREATE FUNCTION enrolment_is_known() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    callers text := coalesce(current_setting('app.schools', true), '');
    known boolean;
BEGIN
    PERFORM set_config('app.schools', '*', true);
    SELECT EXISTS (SELECT 1 FROM pupils p WHERE p.id = NEW.pupil_id
                   AND (p.entered_by_school_id = NEW.school_id OR p.birth_date = NEW.stated_birth_date))
        OR EXISTS (SELECT 1 FROM enrolments e WHERE e.pupil_id = NEW.pupil_id AND e.school_id = NEW.school_id)
      INTO known;
    PERFORM set_config('app.schools', callers, true);
    IF NOT known THEN
        RAISE EXCEPTION 'an enrolment proves that the school knows the child'
            USING ERRCODE = 'check_violation', TABLE = 'enrolments', CONSTRAINT = 'enrolment_is_known';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION pupil_studies_elsewhere(pupil uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    callers text := coalesce(current_setting('app.schools', true), '');
    here uuid[] := app_schools();
    found boolean;
BEGIN
    PERFORM set_config('app.schools', '*', true);
    SELECT EXISTS (SELECT 1 FROM enrolments e
                   WHERE e.pupil_id = pupil AND e.state = 'studying' AND e.school_id <> ALL (here)) INTO found;
    PERFORM set_config('app.schools', callers, true);
    RETURN found;
END $$;

CREATE FUNCTION guardian_answers_elsewhere(guardian uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    callers text := coalesce(current_setting('app.schools', true), '');
    here uuid[] := app_schools();
    found boolean;
BEGIN
    PERFORM set_config('app.schools', '*', true);
    SELECT EXISTS (SELECT 1 FROM guardianships g JOIN enrolments e ON e.pupil_id = g.pupil_id
                   WHERE g.guardian_id = guardian AND e.state = 'studying' AND e.school_id <> ALL (here)) INTO found;
    PERFORM set_config('app.schools', callers, true);
    RETURN found;
END $$;

CREATE FUNCTION guardian_is_seen() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- As the caller: what he does not see, he cannot tie to a child of his. (A policy here would run in a circle.)
    IF NOT EXISTS (SELECT 1 FROM guardians g WHERE g.id = NEW.guardian_id) THEN
        RAISE EXCEPTION 'this guardian is not known to the school'
            USING ERRCODE = 'insufficient_privilege', TABLE = 'guardianships';
    END IF;
    RETURN NEW;
END $$;
"""

LOOKING_FUNCTIONS = ("pupil_studies_elsewhere(uuid)", "guardian_answers_elsewhere(uuid)")

# Every column is named with its table: an unqualified one inside EXISTS would bind to the inner table.
SYSTEM = "(SELECT app_sees_all())"
STUDIES_HERE = "EXISTS (SELECT 1 FROM enrolments e WHERE e.pupil_id = {pupil} AND e.state = 'studying')"
ENTERED_HERE = "{table}.entered_by_school_id = ANY ((SELECT app_schools())::uuid[])"
KNOWN_HERE = "EXISTS (SELECT 1 FROM enrolments e WHERE e.pupil_id = {pupil})"

PUPIL_IN_HAND = (
    f"{SYSTEM} OR {STUDIES_HERE.format(pupil='pupils.id')} "
    f"OR ({ENTERED_HERE.format(table='pupils')} AND NOT pupil_studies_elsewhere(pupils.id))"
)
TIE_IN_HAND = (
    f"{SYSTEM} OR {STUDIES_HERE.format(pupil='guardianships.pupil_id')} "
    f"OR ({KNOWN_HERE.format(pupil='guardianships.pupil_id')} AND NOT pupil_studies_elsewhere(guardianships.pupil_id))"
)
# Herself; a school where a child of hers studies; the school that entered her while no child of hers is elsewhere.
GUARDIAN_IN_HAND = (
    "{table}.id = ANY ((SELECT app_guardians())::uuid[]) "
    "OR EXISTS (SELECT 1 FROM guardianships h JOIN enrolments e ON e.pupil_id = h.pupil_id "
    "WHERE h.guardian_id = {table}.id AND e.state = 'studying') "
    f"OR ({ENTERED_HERE} AND NOT guardian_answers_elsewhere({{table}}.id))"
)
CONTACT_IN_HAND = (
    f"{SYSTEM} OR EXISTS (SELECT 1 FROM guardians p WHERE p.id = contacts.guardian_id "
    f"AND ({GUARDIAN_IN_HAND.format(table='p')}))"
)

# Beside ``in_scope``, and both must hold. Seeing stays as wide as it was.
NARROWED = {
    "pupils": {"UPDATE": PUPIL_IN_HAND},
    "guardians": {"UPDATE": f"{SYSTEM} OR {GUARDIAN_IN_HAND.format(table='guardians')}"},
    "guardianships": {"UPDATE": TIE_IN_HAND, "INSERT": TIE_IN_HAND},
    "contacts": {"UPDATE": CONTACT_IN_HAND, "INSERT": CONTACT_IN_HAND},
}


def upgrade() -> None:
    """Ask for proof of each enrolment, and let only the school that has a child change what is known of it."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("enrolments", sa.Column("stated_birth_date", sa.Date(), nullable=True))
    op.execute(LOOKING)
    for function in LOOKING_FUNCTIONS:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO hocphi_app")
    op.execute(
        "CREATE TRIGGER enrolment_is_known BEFORE INSERT ON enrolments "
        "FOR EACH ROW EXECUTE FUNCTION enrolment_is_known()",
    )
    op.execute(
        "CREATE TRIGGER guardian_is_seen BEFORE INSERT ON guardianships "
        "FOR EACH ROW EXECUTE FUNCTION guardian_is_seen()",
    )
    for table, commands in NARROWED.items():
        for command, rule in commands.items():
            clause = f"USING ({rule})" if command == "UPDATE" else f"WITH CHECK ({rule})"
            op.execute(f"CREATE POLICY {_name(command)} ON {table} AS RESTRICTIVE FOR {command} {clause}")


def downgrade() -> None:
    """Let every school that sees a person change it again."""
    for table, commands in NARROWED.items():
        for command in commands:
            op.execute(f"DROP POLICY {_name(command)} ON {table}")
    op.execute("DROP TRIGGER guardian_is_seen ON guardianships")
    op.execute("DROP TRIGGER enrolment_is_known ON enrolments")
    for function in (*LOOKING_FUNCTIONS, "enrolment_is_known()", "guardian_is_seen()"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("enrolments", "stated_birth_date")


def _name(command: str) -> str:
    return f"in_hand_to_{command.lower()}"
