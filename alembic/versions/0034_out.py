"""Money out may be held, and two people put aside what nobody confirms; a feed that proves no amount has a limit.

The database lets money out be taken out of the book only with a second person's yes, and never beneath its purposes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0043"
branch_labels = None
depends_on = None

STEPS = [
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
OUT_PUT_ASIDE = "ignored_out>quarantined"
LIVE = "NOT EXISTS (SELECT 1 FROM money_out_ends e WHERE e.school_id = o.school_id AND e.purpose_id = o.id)"
PUT_ASIDE_BY_TWO = f"""
CREATE FUNCTION out_put_aside_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('money out ' || NEW.school_id, 0));
  IF NOT EXISTS (
    SELECT 1 FROM transfer_releases r JOIN transfer_release_decisions d ON d.release_id = r.id AND d.approved
    WHERE r.school_id = NEW.school_id AND r.transfer_id = NEW.id AND r.wanted = 'put_aside'
  ) THEN
    RAISE EXCEPTION 'money out leaves the book by two people alone' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM money_out o WHERE o.school_id = NEW.school_id AND o.transfer_id = NEW.id AND {LIVE}) THEN
    RAISE EXCEPTION 'money out has a purpose: take that back first' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
# Where a signature proves no amount, or there is a bare key only (docs/callbacks.md): provider, scheme.
UNPROVEN = [
    ("sepay", "apikey"),
    ("casso", "v1"),
    ("vietqrvn", "token"),
    ("vietqrvn", "bearer"),
    ("vietqrvn", "agency"),
    ("bidv", "checksum"),
    ("vietinbank", "rsa"),
    ("vietinbank", "rsa_one_way"),
    ("mb", "checksum"),
    ("pay2s", "bearer"),
]
LIMIT = 20_000_000


def upgrade() -> None:
    """Allow the new step with its guard, tell requests apart, and give every feed that needs one a limit."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _steps([*STEPS, OUT_PUT_ASIDE])
    op.add_column("transfer_releases", sa.Column("wanted", sa.String(), nullable=False, server_default="let_go"))
    op.alter_column("transfer_releases", "wanted", server_default=None)
    op.create_check_constraint(
        op.f("ck_transfer_releases_wanted_known"), "transfer_releases", "wanted IN ('let_go', 'put_aside')"
    )
    op.execute(PUT_ASIDE_BY_TWO)
    op.execute(
        "CREATE TRIGGER out_put_aside_by_two BEFORE UPDATE OF state ON transfers FOR EACH ROW "
        "WHEN (OLD.state = 'ignored_out' AND NEW.state = 'quarantined') EXECUTE FUNCTION out_put_aside_by_two()"
    )
    pairs = ", ".join(f"('{provider}', '{scheme}')" for provider, scheme in UNPROVEN)
    needs = f"(provider, scheme) IN ({pairs})"
    op.execute("ALTER TABLE feeds NO FORCE ROW LEVEL SECURITY")  # the owner changes rows of all schools
    op.execute(f"UPDATE feeds SET hold_above = {LIMIT} WHERE hold_above IS NULL AND {needs}")
    op.execute("ALTER TABLE feeds FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(op.f("ck_feeds_unproven_has_limit"), "feeds", f"hold_above IS NOT NULL OR NOT {needs}")


def _steps(allowed: list[str]) -> None:
    listed = ", ".join(f"'{each}'" for each in allowed)
    op.execute("DROP TRIGGER allowed_step ON transfers")
    op.execute(
        "CREATE TRIGGER allowed_step BEFORE UPDATE OF state ON transfers FOR EACH ROW "
        f"EXECUTE FUNCTION allowed_step({listed})"
    )


def downgrade() -> None:
    """Take them away again; a limit that was given stays."""
    op.drop_constraint(op.f("ck_feeds_unproven_has_limit"), "feeds")
    op.execute("DROP TRIGGER out_put_aside_by_two ON transfers")
    op.execute("DROP FUNCTION out_put_aside_by_two()")
    op.drop_constraint(op.f("ck_transfer_releases_wanted_known"), "transfer_releases")
    op.drop_column("transfer_releases", "wanted")
    _steps(STEPS)
