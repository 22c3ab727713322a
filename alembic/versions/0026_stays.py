"""A pupil who left may come back in the same school year: several stays a year, whose days do not overlap.

One stay at most is open at a time (a unique index, which two who act at once meet); a trigger compares the days of the
others. An exclusion constraint would need an extension that not every host has.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0028"
branch_labels = None
depends_on = None

OLD_KEY = "uq_enrolments_school_id_pupil_id_school_year"
KEY = "uq_enrolments_school_id_pupil_id_school_year_started_on"
OPEN = "uq_enrolments_open"

APART = """
CREATE FUNCTION stays_are_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM enrolments e
               WHERE e.school_id = NEW.school_id AND e.pupil_id = NEW.pupil_id AND e.school_year = NEW.school_year
                 AND e.id <> NEW.id AND e.started_on <= coalesce(NEW.ended_on, 'infinity'::date)
                 AND coalesce(e.ended_on, 'infinity'::date) >= NEW.started_on) THEN
        RAISE EXCEPTION 'stays of a pupil in one school year do not overlap'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'stays_are_apart', TABLE = 'enrolments';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Let a year have several stays, apart from each other."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_constraint(op.f(OLD_KEY), "enrolments", type_="unique")
    op.create_unique_constraint(op.f(KEY), "enrolments", ["school_id", "pupil_id", "school_year", "started_on"])
    op.create_index(
        OPEN, "enrolments", ["school_id", "pupil_id", "school_year"], unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )  # fmt: skip
    op.execute(APART)
    op.execute(
        "CREATE TRIGGER stays_are_apart BEFORE INSERT OR UPDATE OF started_on, ended_on ON enrolments "
        "FOR EACH ROW EXECUTE FUNCTION stays_are_apart()"
    )


def downgrade() -> None:
    """One enrolment for each school year again; refused by the key while there is a return."""
    op.execute("DROP TRIGGER stays_are_apart ON enrolments")
    op.execute("DROP FUNCTION stays_are_apart()")
    op.drop_index(OPEN, table_name="enrolments")
    op.drop_constraint(op.f(KEY), "enrolments", type_="unique")
    op.create_unique_constraint(op.f(OLD_KEY), "enrolments", ["school_id", "pupil_id", "school_year"])
