"""Shape and guards of where a school lies: a dated row, changed by two people; today's columns become the first row."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0035b"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"

DECIDED_ONCE = """
CREATE FUNCTION place_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.approved_at IS NOT NULL OR NEW.withdrawn_at IS NOT NULL THEN
      RAISE EXCEPTION 'a place is asked for before it is decided' USING ERRCODE = 'check_violation';
    END IF;
  ELSIF OLD.valid_from IS NULL OR OLD.approved_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL THEN
    RAISE EXCEPTION 'a place that is decided stays; another row takes its place' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the table, move today's place of each school there, and take the columns away."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _table()
    op.execute("ALTER TABLE schools NO FORCE ROW LEVEL SECURITY")  # the owner reads all schools
    op.execute(
        "INSERT INTO school_places (id, school_id, zone, legacy_area, decision_number, made_at) "
        "SELECT gen_random_uuid(), id, zone, legacy_area, '', now() FROM schools"
    )
    op.execute("ALTER TABLE schools FORCE ROW LEVEL SECURITY")
    op.drop_column("schools", "zone")
    op.drop_column("schools", "legacy_area")
    op.execute(DECIDED_ONCE)
    op.execute(
        "CREATE TRIGGER place_decided_once BEFORE INSERT OR UPDATE ON school_places "
        "FOR EACH ROW EXECUTE FUNCTION place_decided_once()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON school_places "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT ON school_places TO hocphi_app")
    op.execute("GRANT UPDATE (approved_by, approved_at, withdrawn_at) ON school_places TO hocphi_app")
    op.execute("GRANT SELECT ON school_places TO hocphi_report")
    op.execute("ALTER TABLE school_places ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE school_places FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON school_places USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")


def _table() -> None:
    op.create_table(
        "school_places",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("legacy_area", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("decision_number", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "zone IN ('ward', 'rural', 'ethnic_1', 'ethnic_2', 'ethnic_3')", name=op.f("ck_school_places_zone_known")
        ),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name=op.f("ck_school_places_two_people")),
        sa.CheckConstraint(
            "(valid_from IS NULL) = (made_by IS NULL)", name=op.f("ck_school_places_only_the_first_is_nobodys")
        ),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)", name=op.f("ck_school_places_approved_by_somebody")
        ),
        sa.CheckConstraint(
            "approved_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_school_places_approved_or_withdrawn")
        ),
        sa.CheckConstraint("valid_from IS NULL OR decision_number <> ''", name=op.f("ck_school_places_decision_given")),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_school_places_made_by")),
        sa.ForeignKeyConstraint(["approved_by"], ["users.id"], name=op.f("fk_school_places_approved_by")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_school_places_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_places")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_school_places_school_id_id")),
    )
    op.create_index(
        "uq_school_places_first",
        "school_places",
        ["school_id"],
        unique=True,
        postgresql_where=sa.text("valid_from IS NULL"),
    )
    op.create_index(
        "uq_school_places_waiting",
        "school_places",
        ["school_id"],
        unique=True,
        postgresql_where=sa.text("valid_from IS NOT NULL AND approved_at IS NULL AND withdrawn_at IS NULL"),
    )


def downgrade() -> None:
    """Put today's place of each school back into its row, and take the table away."""
    op.add_column("schools", sa.Column("zone", sa.String(), nullable=True))
    op.add_column("schools", sa.Column("legacy_area", sa.String(), nullable=True))
    for table in ("schools", "school_places"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE schools s SET (zone, legacy_area) = (SELECT p.zone, p.legacy_area FROM school_places p "
        "WHERE p.school_id = s.id AND (p.valid_from IS NULL OR p.approved_at IS NOT NULL AND "
        "p.valid_from <= (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date) "
        "ORDER BY p.valid_from DESC NULLS LAST, p.approved_at DESC LIMIT 1)"
    )
    op.execute("ALTER TABLE schools FORCE ROW LEVEL SECURITY")
    op.alter_column("schools", "zone", nullable=False)
    op.alter_column("schools", "legacy_area", nullable=False)
    op.execute("GRANT UPDATE (zone, legacy_area) ON schools TO hocphi_app")
    op.drop_table("school_places")
    op.execute("DROP FUNCTION place_decided_once()")
