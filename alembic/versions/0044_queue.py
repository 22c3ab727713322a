"""Shape and guards of the people's queue: acts with parts, decisions, comments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0048"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ("queue_acts", "queue_parts", "queue_decisions", "queue_comments")

# The transfer's row is locked: whoever settles, undoes or refunds it waits, and so does a second act.
ACT_IS_ALONE = """
CREATE FUNCTION act_is_alone() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stands text;
BEGIN
  SELECT t.state INTO stands FROM transfers t
    WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id AND t.direction = 'in' FOR UPDATE;
  IF stands IS DISTINCT FROM (CASE NEW.kind WHEN 'assign' THEN 'waiting' ELSE 'matched' END) THEN
    RAISE EXCEPTION 'an act needs money that waits, or that is matched' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM queue_acts a WHERE a.school_id = NEW.school_id AND a.transfer_id = NEW.transfer_id
             AND NOT EXISTS (SELECT 1 FROM queue_decisions d WHERE d.school_id = a.school_id AND d.act_id = a.id)) THEN
    RAISE EXCEPTION 'another act about this money is open' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

# Asked at the commit, when all parts stand; a part that comes later is refused the same way.
PARTS_ADD_UP = """
CREATE FUNCTION parts_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  act uuid := CASE TG_TABLE_NAME WHEN 'queue_acts' THEN (to_jsonb(NEW) ->> 'id')::uuid
                                 ELSE (to_jsonb(NEW) ->> 'act_id')::uuid END;
  adds_up boolean;
BEGIN
  SELECT coalesce((SELECT sum(p.amount) FROM queue_parts p WHERE p.school_id = a.school_id AND p.act_id = a.id), 0)
         = CASE a.kind WHEN 'assign' THEN t.amount ELSE 0 END
    INTO adds_up FROM queue_acts a JOIN transfers t ON t.school_id = a.school_id AND t.id = a.transfer_id
    WHERE a.school_id = NEW.school_id AND a.id = act;
  IF adds_up IS NOT TRUE THEN
    RAISE EXCEPTION 'the parts of an act are the sum of its money' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

PART_IS_OF_HERE = """
CREATE FUNCTION part_is_of_here() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.bill_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM bills b
      WHERE b.school_id = NEW.school_id AND b.id = NEW.bill_id AND b.pupil_id = NEW.pupil_id) THEN
    RAISE EXCEPTION 'the bill is another pupil''s' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.bill_id IS NULL
     AND NOT EXISTS (SELECT 1 FROM enrolments e WHERE e.school_id = NEW.school_id AND e.pupil_id = NEW.pupil_id)
     AND NOT EXISTS (SELECT 1 FROM bills b WHERE b.school_id = NEW.school_id AND b.pupil_id = NEW.pupil_id) THEN
    RAISE EXCEPTION 'the pupil is not of this school' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

DECIDED_BY_WHOM = """
CREATE FUNCTION act_decided_by_whom() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  act record;
BEGIN
  SELECT a.made_by, a.kind INTO act FROM queue_acts a WHERE a.school_id = NEW.school_id AND a.id = NEW.act_id;
  IF (NEW.verdict IN ('alone', 'withdrawn')) <> (NEW.decided_by = act.made_by) THEN
    RAISE EXCEPTION 'who acted does not agree, and nobody else acts alone' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.verdict = 'alone' AND act.kind <> 'assign' THEN
    RAISE EXCEPTION 'nobody undoes alone' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
FUNCTIONS = ("act_is_alone", "parts_add_up", "part_is_of_here", "act_decided_by_whom")


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _acts()
    _parts()
    _decisions()
    _comments()
    for table in TABLES:
        _guard(table)
    for function in (ACT_IS_ALONE, PARTS_ADD_UP, PART_IS_OF_HERE, DECIDED_BY_WHOM):
        op.execute(function)
    for table, function in (
        ("queue_acts", "act_is_alone"),
        ("queue_parts", "part_is_of_here"),
        ("queue_decisions", "act_decided_by_whom"),
    ):
        op.execute(f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    for table in ("queue_acts", "queue_parts"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER parts_add_up AFTER INSERT ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION parts_add_up()"
        )


def _acts() -> None:
    op.create_table(
        "queue_acts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seen_step", sa.BigInteger(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("kind IN ('assign', 'undo')", name=op.f("ck_queue_acts_kind_known")),
        sa.CheckConstraint("kind = 'assign' OR reason <> ''", name=op.f("ck_queue_acts_undoing_has_a_reason")),
        _within("queue_acts", "transfer_id", "transfers"),
        _of_school("queue_acts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_acts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_queue_acts_school_id_id")),
    )
    op.create_index("ix_queue_acts_transfer", "queue_acts", ["school_id", "transfer_id"])


def _parts() -> None:
    op.create_table(
        "queue_parts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_queue_parts_amount_above_zero")),
        _within("queue_parts", "act_id", "queue_acts"),
        _within("queue_parts", "bill_id", "bills"),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_queue_parts_pupil_id")),
        _of_school("queue_parts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_parts")),
        sa.UniqueConstraint(
            "school_id", "act_id", "pupil_id", "bill_id", name="one_part_each", postgresql_nulls_not_distinct=True
        ),
    )
    op.create_index(op.f("ix_queue_parts_pupil_id"), "queue_parts", ["pupil_id"])


def _decisions() -> None:
    op.create_table(
        "queue_decisions",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "verdict IN ('alone', 'agreed', 'refused', 'withdrawn')", name=op.f("ck_queue_decisions_verdict_known")
        ),
        sa.CheckConstraint(
            "verdict <> 'refused' OR reason <> ''", name=op.f("ck_queue_decisions_refusing_has_a_reason")
        ),
        _within("queue_decisions", "act_id", "queue_acts"),
        _of_school("queue_decisions"),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_queue_decisions")),
    )


def _comments() -> None:
    op.create_table(
        "queue_comments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("words <> ''", name=op.f("ck_queue_comments_says_something")),
        _within("queue_comments", "transfer_id", "transfers"),
        _of_school("queue_comments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_comments")),
    )
    op.create_index("ix_queue_comments_transfer", "queue_comments", ["school_id", "transfer_id"])


def _moment(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


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
    """Take them away again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
