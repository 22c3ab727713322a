"""No agreement stands where a child of the family of who asked, or of who agrees, is concerned: the database looks too.

What binds is declared when the other person agrees, whenever that was said. One function knows a family, one trigger
function asks; each table brings the statement that tells, of the row about to be written ($1), who the persons are and
which pupils it is about.
"""

from alembic import op

revision = "0067"
down_revision = "0065"
branch_labels = None
depends_on = None

# As billing/people/kinship.py: declared children, those of a guardian with the person's own number, and their siblings.
FAMILY = """
CREATE FUNCTION own_family_of(person uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
  WITH named AS (
    SELECT c.pupil_id FROM public.own_children c WHERE c.user_id = person AND c.ended_at IS NULL
  ), guardians AS (
    SELECT c.guardian_id FROM public.contacts c
      JOIN public.staff_contacts s ON s.kind = c.kind AND s.blind = c.blind
      WHERE s.user_id = person AND s.ended_at IS NULL
    UNION
    SELECT g.guardian_id FROM public.guardianships g WHERE g.pupil_id IN (SELECT pupil_id FROM named)
  )
  SELECT pupil_id FROM named
  UNION
  SELECT g.pupil_id FROM public.guardianships g WHERE g.guardian_id IN (SELECT guardian_id FROM guardians)
$$
"""
REFUSE = """
CREATE FUNCTION nobodys_own_family() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  persons uuid[];
  about uuid[];
  person uuid;
  own uuid[];
BEGIN
  EXECUTE TG_ARGV[0] INTO persons, about USING NEW;
  FOREACH person IN ARRAY coalesce(persons, '{}') LOOP
    SELECT array_agg(f.pupil_id) INTO own
      FROM public.own_family_of(person) AS f(pupil_id) WHERE f.pupil_id = ANY (about);
    IF own IS NOT NULL THEN
      RAISE EXCEPTION 'a child of the family of who asked or agrees is concerned' USING
        ERRCODE = 'check_violation', CONSTRAINT = 'nobodys_own_family',
        DETAIL = jsonb_build_object('school', NEW.school_id, 'user', person, 'pupils', own)::text;
    END IF;
  END LOOP;
  RETURN NEW;
END $$
"""
# Of each table: on what, when, and who the persons and the pupils of its row ($1) are.
ASKED = {
    "queue_decisions": (
        "INSERT",
        "NEW.verdict IN ('alone', 'agreed')",
        """SELECT ARRAY[a.made_by, $1.decided_by], ARRAY(
             SELECT p.pupil_id FROM public.queue_parts p WHERE p.school_id = a.school_id AND p.act_id = a.id
             UNION
             SELECT (e ->> 'pupil')::uuid FROM jsonb_array_elements(a.evidence -> 'payments') e WHERE a.kind = 'undo')
           FROM public.queue_acts a WHERE a.school_id = $1.school_id AND a.id = $1.act_id""",
    ),
    "relief_decisions": (
        "INSERT",
        "NEW.approved",
        """SELECT ARRAY[r.made_by, $1.decided_by], ARRAY[r.pupil_id]
           FROM public.reliefs r WHERE r.school_id = $1.school_id AND r.id = $1.relief_id""",
    ),
    "cash_reversal_decisions": (
        "INSERT",
        "NEW.approved",
        """SELECT ARRAY[r.made_by, t.made_by, $1.decided_by], ARRAY[t.pupil_id]
           FROM public.cash_reversals r
           JOIN public.cash_takings t ON t.school_id = r.school_id AND t.id = r.taking_id
           WHERE r.school_id = $1.school_id AND r.id = $1.reversal_id""",
    ),
    "refund_decisions": (
        "INSERT",
        "NEW.approved",
        """SELECT ARRAY[r.made_by, $1.decided_by], ARRAY(
             SELECT l.pupil_id FROM public.refund_lines l
             WHERE l.school_id = r.school_id AND l.refund_id = r.id AND l.pupil_id IS NOT NULL)
           FROM public.refunds r WHERE r.school_id = $1.school_id AND r.id = $1.refund_id""",
    ),
    "card_refund_decisions": (
        "INSERT",
        "NEW.approved",
        """SELECT ARRAY[r.asked_by, $1.decided_by], ARRAY[q.pupil_id]
           FROM public.card_refunds r
           JOIN public.card_checkouts c ON c.school_id = r.school_id AND c.id = r.checkout_id
           JOIN public.payment_requests q ON q.school_id = c.school_id AND q.id = c.request_id
           WHERE r.school_id = $1.school_id AND r.id = $1.refund_id""",
    ),
    "bank_reversal_decisions": (
        "INSERT",
        "NEW.approved",
        """SELECT ARRAY[r.made_by, $1.decided_by], ARRAY(
             SELECT p.pupil_id FROM public.payments p
             WHERE p.school_id = r.school_id AND p.source_kind = 'transfer' AND p.source_id = r.came_id)
           FROM public.bank_reversals r WHERE r.school_id = $1.school_id AND r.id = $1.reversal_id""",
    ),
    "correction_decisions": (
        "INSERT",
        "NEW.approved",
        """SELECT ARRAY[c.made_by, $1.decided_by], ARRAY[b.pupil_id]
           FROM public.corrections c JOIN public.bills b ON b.school_id = c.school_id AND b.id = c.bill_id
           WHERE c.school_id = $1.school_id AND c.id = $1.correction_id""",
    ),
    "reductions": (
        "INSERT OR UPDATE OF approved_by",
        "NEW.approved_by IS NOT NULL AND NEW.enrolment_id IS NOT NULL",
        """SELECT ARRAY[$1.made_by, $1.approved_by], ARRAY[e.pupil_id]
           FROM public.enrolments e WHERE e.school_id = $1.school_id AND e.id = $1.enrolment_id""",
    ),
    "entitlements": (
        "INSERT OR UPDATE OF approved_by",
        "NEW.approved_by IS NOT NULL",
        """SELECT ARRAY[$1.made_by, $1.approved_by], ARRAY[e.pupil_id]
           FROM public.enrolments e WHERE e.school_id = $1.school_id AND e.id = $1.enrolment_id""",
    ),
}


def upgrade() -> None:
    """Look at every agreement about a child before it is written."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(FAMILY)
    op.execute(REFUSE)
    for table, (moment, when, asks) in ASKED.items():
        op.execute(
            f"CREATE TRIGGER nobodys_own_family BEFORE {moment} ON {table} FOR EACH ROW WHEN ({when})"
            f" EXECUTE FUNCTION nobodys_own_family({_literal(asks)})"
        )


def downgrade() -> None:
    """Let the rules alone look again."""
    for table in ASKED:
        op.execute(f"DROP TRIGGER nobodys_own_family ON {table}")
    op.execute("DROP FUNCTION nobodys_own_family()")
    op.execute("DROP FUNCTION own_family_of(uuid)")


def _literal(statement: str) -> str:
    return "'" + " ".join(statement.split()).replace("'", "''") + "'"
