"""A line of a file for the bank knows which step ordered it; no payout is older than its approval, none undone alone.

What a maker of a file undoes alone may be with the bank already, and would be paid twice; only money that names the
line's code and waits is the bank's own word that it came back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0044"
branch_labels = None
depends_on = None

ORDERED = """CREATE OR REPLACE FUNCTION batch_line_was_ordered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM refund_lines l
        JOIN refund_batches b ON b.school_id = l.school_id AND b.refund_id = l.refund_id
        WHERE l.school_id = NEW.school_id AND l.id = NEW.line_id AND b.id = NEW.batch_id AND {newest} = (
            SELECT {what} FROM refund_steps s WHERE s.school_id = l.school_id AND s.line_id = l.id
            ORDER BY s.turn DESC LIMIT 1)) THEN
        RAISE EXCEPTION 'only what is ordered stands in the file for the bank' USING ERRCODE = 'check_violation';
    END IF; RETURN NEW; END $$"""
NOT_BEFORE_APPROVAL = """CREATE FUNCTION refund_paid_after_approval() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT 1 FROM refund_lines l
        JOIN refund_decisions d ON d.school_id = l.school_id AND d.refund_id = l.refund_id
        WHERE l.school_id = NEW.school_id AND l.id = NEW.line_id
          AND NEW.day < (d.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date) THEN
        RAISE EXCEPTION 'a refund is not paid before it is approved' USING ERRCODE = 'check_violation';
    END IF; RETURN NEW; END $$"""
NOT_ALONE = """CREATE FUNCTION filed_line_undone_by_another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT 1 FROM refund_batch_lines f
        JOIN refund_steps s ON s.school_id = f.school_id AND s.line_id = f.line_id AND s.turn = f.turn
        JOIN refund_lines l ON l.school_id = f.school_id AND l.id = f.line_id
        JOIN refunds r ON r.school_id = l.school_id AND r.id = l.refund_id
        WHERE f.school_id = NEW.school_id AND f.line_id = NEW.line_id AND f.turn = NEW.turn - 1
          AND NEW.made_by IN (s.made_by, r.made_by)
          AND NOT EXISTS (SELECT 1 FROM transfers t
              WHERE t.school_id = l.school_id AND t.direction = 'in' AND t.state = 'waiting' AND t.amount = l.amount
                AND regexp_replace(upper(t.memo), '[^A-Z0-9]', '', 'g') LIKE '%' || l.code || '%')) THEN
        RAISE EXCEPTION 'a line that stands in a file for the bank is undone by somebody else'
            USING ERRCODE = 'check_violation';
    END IF; RETURN NEW; END $$"""
WATCHED = {
    "refund_paid_after_approval": ("NEW.kind IN ('paid', 'sent')", NOT_BEFORE_APPROVAL),
    "filed_line_undone_by_another": ("NEW.kind = 'undone'", NOT_ALONE),
}
FILL = """UPDATE refund_batch_lines f SET turn = (
    SELECT s.turn FROM refund_steps s JOIN refund_batches b ON b.school_id = s.school_id AND b.id = f.batch_id
    WHERE s.school_id = f.school_id AND s.line_id = f.line_id AND s.kind = 'sent' AND s.at = b.made_at
    ORDER BY s.turn LIMIT 1)"""


def upgrade() -> None:
    """Add the column, fill it from the steps of the same moment, and watch."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("refund_batch_lines", sa.Column("turn", sa.Integer(), nullable=True))
    op.execute("SELECT set_config('app.schools', '*', true)")
    op.execute("ALTER TABLE refund_batch_lines DISABLE TRIGGER written_once")
    op.execute(FILL)
    op.execute("ALTER TABLE refund_batch_lines ENABLE TRIGGER written_once")
    op.execute("SELECT set_config('app.schools', '', true)")
    op.alter_column("refund_batch_lines", "turn", nullable=False)
    op.create_foreign_key(
        op.f("fk_refund_batch_lines_school_id_line_id_turn"),
        "refund_batch_lines",
        "refund_steps",
        ["school_id", "line_id", "turn"],
        ["school_id", "line_id", "turn"],
    )
    op.execute("GRANT SELECT (turn) ON refund_batch_lines TO hocphi_report")
    op.execute(ORDERED.format(newest="'sent ' || NEW.turn", what="s.kind || ' ' || s.turn"))
    for name, (when, function) in WATCHED.items():
        op.execute(function)
        op.execute(
            f"CREATE TRIGGER {name} BEFORE INSERT ON refund_steps FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    """Take it away again."""
    for name in WATCHED:
        op.execute(f"DROP TRIGGER {name} ON refund_steps")
        op.execute(f"DROP FUNCTION {name}()")
    op.execute(ORDERED.format(newest="'sent'", what="s.kind"))
    op.drop_column("refund_batch_lines", "turn")
