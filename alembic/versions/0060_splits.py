"""What a transfer split over many lines pays for each line is the same for every line.

The parts of an act were added up anew for each of its parts: now once a statement that they are not too much, and once
an act, at the commit, that they are all. Later parts are too much, so both refuse what the one refused.

Receipts were numbered one by one, and each step of the counter had to walk past all steps before it. Now a counter goes
up by as many as are written: at the commit the receipt of its last number stands. A receipt has the one before it, as
ever, and is no higher than its counter, so the numbers have no gap. Both are looked up once a statement.
"""

from alembic import op

revision = "0060"
down_revision = "0062"
branch_labels = None
depends_on = None

# Tables are named with their schema: whoever writes could put a temporary one of the same name before them.
PARTS_ADD_UP = """
CREATE OR REPLACE FUNCTION parts_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT coalesce((SELECT sum(p.amount) FROM public.queue_parts p
                       WHERE p.school_id = a.school_id AND p.act_id = a.id), 0)
             = CASE a.kind WHEN 'assign' THEN t.amount ELSE 0 END
      FROM public.queue_acts a JOIN public.transfers t ON t.school_id = a.school_id AND t.id = a.transfer_id
      WHERE a.school_id = NEW.school_id AND a.id = NEW.id) IS NOT TRUE THEN
    RAISE EXCEPTION 'the parts of an act are the sum of its money' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
PARTS_NOT_TOO_MUCH = """
CREATE FUNCTION parts_not_too_much() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
      SELECT FROM (SELECT DISTINCT n.school_id, n.act_id FROM new_rows n) n
      JOIN public.queue_acts a ON a.school_id = n.school_id AND a.id = n.act_id
      JOIN public.transfers t ON t.school_id = a.school_id AND t.id = a.transfer_id
      WHERE (SELECT sum(p.amount) FROM public.queue_parts p WHERE p.school_id = n.school_id AND p.act_id = n.act_id)
            > CASE a.kind WHEN 'assign' THEN t.amount ELSE 0 END) THEN
    RAISE EXCEPTION 'the parts of an act are the sum of its money' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
RECEIPTS_FOLLOW = """
CREATE FUNCTION receipts_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  book record;
  last bigint;
  start bigint;
BEGIN
  FOR book IN SELECT n.school_id, n.book_id, min(n.number) AS low, max(n.number) AS high, count(*) AS many
              FROM new_rows n GROUP BY n.school_id, n.book_id LOOP
    SELECT c.last_number INTO STRICT last FROM public.receipt_counters c WHERE c.book_id = book.book_id;
    start := coalesce((SELECT s.last_number FROM public.receipt_starts s WHERE s.book_id = book.book_id), 0);
    IF book.high > last OR book.low <= start OR book.high - book.low + 1 <> book.many
       OR (book.low > start + 1 AND NOT EXISTS (
        SELECT FROM public.receipts r
        WHERE r.school_id = book.school_id AND r.book_id = book.book_id AND r.number = book.low - 1)) THEN
      RAISE EXCEPTION 'receipts % to % do not follow the numbers of their book, which are given out up to %',
        book.low, book.high, last USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM new_rows n WHERE n.amount IS DISTINCT FROM (
      SELECT p.amount FROM public.payments p WHERE p.school_id = n.school_id AND p.id = n.payment_id)) THEN
    RAISE EXCEPTION 'a receipt states what was received' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
COUNTER_GOES_UP = """
CREATE FUNCTION counter_goes_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.last_number <= OLD.last_number THEN
    RAISE EXCEPTION 'a receipt counter goes up' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
NUMBERS_ARE_USED = """
CREATE FUNCTION numbers_are_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.receipts r
                 WHERE r.school_id = NEW.school_id AND r.book_id = NEW.book_id AND r.number = NEW.last_number)
     AND NOT EXISTS (SELECT FROM public.receipt_starts s
                     WHERE s.book_id = NEW.book_id AND s.last_number = NEW.last_number) THEN
    RAISE EXCEPTION 'number % is given out and stands on no receipt', NEW.last_number
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

OLD_PARTS_ADD_UP = """
CREATE OR REPLACE FUNCTION parts_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
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
# The functions of 0019 stay for this.
OLD_TRIGGERS = (("receipts", "INSERT", "receipt_follows"), ("receipt_counters", "UPDATE", "counter_steps_by_one"))


def upgrade() -> None:
    """Ask once a statement."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TRIGGER parts_add_up ON queue_parts")
    for table, _, function in OLD_TRIGGERS:
        op.execute(f"DROP TRIGGER {function} ON {table}")
    for function in (PARTS_ADD_UP, PARTS_NOT_TOO_MUCH, RECEIPTS_FOLLOW, COUNTER_GOES_UP, NUMBERS_ARE_USED):
        op.execute(function)
    for table, function in (("queue_parts", "parts_not_too_much"), ("receipts", "receipts_follow")):
        op.execute(
            f"CREATE TRIGGER {function} AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER counter_goes_up BEFORE UPDATE ON receipt_counters "
        "FOR EACH ROW EXECUTE FUNCTION counter_goes_up()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER numbers_are_used AFTER UPDATE ON receipt_counters "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION numbers_are_used()"
    )


def downgrade() -> None:
    """Ask for each row again."""
    for table, function in (
        ("receipt_counters", "numbers_are_used"),
        ("receipt_counters", "counter_goes_up"),
        ("receipts", "receipts_follow"),
        ("queue_parts", "parts_not_too_much"),
    ):
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.execute(OLD_PARTS_ADD_UP)
    op.execute(
        "CREATE CONSTRAINT TRIGGER parts_add_up AFTER INSERT ON queue_parts"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION parts_add_up()"
    )
    for table, event, function in OLD_TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
