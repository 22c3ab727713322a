"""Refuse two caps of one item, level, zone, area and unit that hold on the same day."""

from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION caps_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('fee caps ' || NEW.authority_id, 0));
    IF EXISTS (
        SELECT 1 FROM fee_caps c
        WHERE c.authority_id = NEW.authority_id AND c.id <> NEW.id
          AND (c.item_code, c.level, c.zone, c.legacy_area, c.unit)
              = (NEW.item_code, NEW.level, NEW.zone, NEW.legacy_area, NEW.unit)
          AND c.valid_from <> NEW.valid_from
          AND daterange(c.valid_from, c.valid_to, '[]') && daterange(NEW.valid_from, NEW.valid_to, '[]')
    ) THEN
        RAISE EXCEPTION 'two caps hold on the same day' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    """Rows that are there stay; the same first day is refused by their key already."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(FUNCTION)
    op.execute(
        "CREATE TRIGGER caps_apart BEFORE INSERT OR UPDATE OF valid_to ON fee_caps"
        " FOR EACH ROW EXECUTE FUNCTION caps_apart()"
    )


def downgrade() -> None:
    """Let caps overlap again."""
    op.execute("DROP TRIGGER caps_apart ON fee_caps")
    op.execute("DROP FUNCTION caps_apart()")
