"""Let two people tie one payout to several transfers, or several payouts to one, and end a page by an act of two."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0073"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
OLD_KINDS = "'tie', 'untie', 'explain', 'opening', 'top_up'"
KINDS = f"{OLD_KINDS}, 'tie_several', 'end_page'"
ENDED = "EXISTS (SELECT 1 FROM card_payout_ends z WHERE z.school_id = c.school_id AND z.tie_id = c.id)"
ALONE = f"""
  IF NOT EXISTS (
    SELECT 1 FROM card_facts f JOIN transfers t ON t.school_id = f.school_id AND t.bank_account_id = f.bank_account_id
    WHERE f.school_id = NEW.school_id AND f.kind = 'payout' AND f.stripe_id = NEW.payout_id
      AND t.id = NEW.transfer_id AND t.direction = 'in' AND t.state = 'waiting'
      AND (t.amount = f.amount OR (t.amount < f.amount AND EXISTS (
        SELECT 1 FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id
        WHERE a.school_id = NEW.school_id AND a.kind = 'tie' AND a.subject = NEW.payout_id
          AND a.transfer_id = NEW.transfer_id AND d.approved)))
  ) THEN
    RAISE EXCEPTION 'a payout is tied to waiting money in of the same sum on its account, or of less where another '
      'person agreed to it' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    SELECT 1 FROM card_payout_ties c WHERE c.school_id = NEW.school_id
      AND (c.payout_id = NEW.payout_id OR c.transfer_id = NEW.transfer_id) AND NOT {ENDED}
  ) THEN
    RAISE EXCEPTION 'a payout and a transfer are tied once' USING ERRCODE = 'check_violation';
  END IF;
"""
# The act names every pair, and all of them together fit to the đồng; so no tie of it can take more than there is.
SEVERAL = f"""
  IF NOT EXISTS (
    SELECT 1 FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id
    JOIN card_act_parts p ON p.school_id = a.school_id AND p.act_id = a.id
    WHERE a.school_id = NEW.school_id AND a.id = NEW.act_id AND a.kind = 'tie_several' AND d.approved
      AND p.payout_id = NEW.payout_id AND p.transfer_id = NEW.transfer_id
  ) THEN
    RAISE EXCEPTION 'several are tied as another person agreed to it' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (
    WITH parts AS (SELECT p.payout_id, p.transfer_id FROM card_act_parts p
      WHERE p.school_id = NEW.school_id AND p.act_id = NEW.act_id),
    paid AS (SELECT f.bank_account_id, f.amount FROM card_facts f WHERE f.school_id = NEW.school_id
      AND f.kind = 'payout' AND f.stripe_id IN (SELECT payout_id FROM parts)),
    came AS (SELECT t.bank_account_id, t.amount FROM transfers t WHERE t.school_id = NEW.school_id
      AND t.direction = 'in' AND t.id IN (SELECT transfer_id FROM parts))
    SELECT 1 WHERE (SELECT sum(amount) FROM paid) = (SELECT sum(amount) FROM came)
      AND least((SELECT count(DISTINCT payout_id) FROM parts), (SELECT count(DISTINCT transfer_id) FROM parts)) = 1
      AND (SELECT count(*) FROM parts) = greatest((SELECT count(*) FROM paid), (SELECT count(*) FROM came))
      AND (SELECT count(DISTINCT bank_account_id)
           FROM (SELECT bank_account_id FROM paid UNION ALL SELECT bank_account_id FROM came) AS both_sides) = 1
  ) THEN
    RAISE EXCEPTION 'several fit together to the đồng, on one account' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM transfers t
    WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id AND t.state = 'waiting') THEN
    RAISE EXCEPTION 'a payout is tied to waiting money' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    SELECT 1 FROM card_payout_ties c WHERE c.school_id = NEW.school_id AND NOT {ENDED}
      AND (c.payout_id = NEW.payout_id OR c.transfer_id = NEW.transfer_id)
      AND (c.act_id IS DISTINCT FROM NEW.act_id
           OR (c.payout_id = NEW.payout_id AND c.transfer_id = NEW.transfer_id))
  ) THEN
    RAISE EXCEPTION 'a payout and a transfer are tied once' USING ERRCODE = 'check_violation';
  END IF;
"""
FITS = """
CREATE OR REPLACE FUNCTION card_payout_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('card payouts ' || NEW.school_id, 0));
  {checks}
  RETURN NEW;
END $$
"""
ENDS_BY_ACT = """
CREATE OR REPLACE FUNCTION card_payout_ends_by_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id
    JOIN card_payout_ties m ON m.school_id = a.school_id AND m.payout_id = a.subject AND m.transfer_id = a.transfer_id
    JOIN card_payout_ties c ON c.school_id = m.school_id AND {which}
    WHERE a.school_id = NEW.school_id AND a.id = NEW.act_id AND a.kind = 'untie' AND d.approved AND c.id = NEW.tie_id
  ) THEN
    RAISE EXCEPTION 'a tie is undone by an act that another person agreed to' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
BEFORE_DECIDED = """
CREATE FUNCTION card_act_parts_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM card_acts a
    WHERE a.school_id = NEW.school_id AND a.id = NEW.act_id AND a.kind = 'tie_several')
    OR EXISTS (SELECT 1 FROM card_act_decisions d WHERE d.school_id = NEW.school_id AND d.act_id = NEW.act_id)
  THEN
    RAISE EXCEPTION 'the parts of an act are named before it is decided' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the parts of an act, and let ties name the act of several."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _kinds(KINDS)
    op.create_table(
        "card_act_parts",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.String(length=255), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        _within("card_act_parts", "act_id", "card_acts"),
        _within("card_act_parts", "transfer_id", "transfers"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_card_act_parts_school_id")),
        sa.PrimaryKeyConstraint("act_id", "payout_id", "transfer_id", name=op.f("pk_card_act_parts")),
    )
    op.create_index("ix_card_act_parts_transfer", "card_act_parts", ["school_id", "transfer_id"], unique=False)
    _guard("card_act_parts")
    op.execute(BEFORE_DECIDED)
    op.execute(
        "CREATE TRIGGER card_act_parts_first BEFORE INSERT ON card_act_parts "
        "FOR EACH ROW EXECUTE FUNCTION card_act_parts_first()"
    )
    op.add_column("card_payout_ties", sa.Column("act_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_card_payout_ties_school_id_act_id"),
        "card_payout_ties",
        "card_acts",
        ["school_id", "act_id"],
        ["school_id", "id"],
    )
    op.execute(FITS.format(checks=f"IF NEW.act_id IS NULL THEN {ALONE} ELSE {SEVERAL} END IF;"))
    op.execute(ENDS_BY_ACT.format(which="(c.id = m.id OR c.act_id = m.act_id)"))


def _kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_card_acts_kind_known"), "card_acts")
    op.create_check_constraint(op.f("ck_card_acts_kind_known"), "card_acts", f"kind IN ({kinds})")


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Ties of one and one only again; no act of the new kinds may be there."""
    op.execute(ENDS_BY_ACT.format(which="c.id = m.id"))
    op.execute(FITS.format(checks=ALONE))
    op.drop_constraint(op.f("fk_card_payout_ties_school_id_act_id"), "card_payout_ties", type_="foreignkey")
    op.drop_column("card_payout_ties", "act_id")
    op.drop_table("card_act_parts")
    op.execute("DROP FUNCTION card_act_parts_first()")
    _kinds(OLD_KINDS)
