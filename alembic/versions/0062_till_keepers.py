"""Who keeps the till, guarded at every door: roles of above and below, schools that move, who counts and hands over.

A role in an authority holds in all schools below it, also in those that whoever grants it does not see; so what judges
roles looks at all schools for as long as it asks. Days that touch on both ends are the same time.
"""

from alembic import op

revision = "0062"
down_revision = "0057"
branch_labels = None
depends_on = None

SEE_ALL = "PERFORM set_config('app.schools', '*', true);"
SEE_AS_BEFORE = "PERFORM set_config('app.schools', seen, true);"
ROLES_MEET = f"""
CREATE FUNCTION cash_roles_meet(
  person uuid, wanted text, at_school uuid, at_authority uuid, first_day date, last_day date
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  seen text := coalesce(current_setting('app.schools', true), '');
  found boolean;
BEGIN
  {SEE_ALL}
  WITH RECURSIVE over AS (
    SELECT g.school_id, g.authority_id FROM role_grants g
    WHERE g.user_id = person
      AND g.role = CASE wanted WHEN 'cashier' THEN 'accountant' WHEN 'accountant' THEN 'cashier' END
      AND g.valid_from <= coalesce(last_day, 'infinity'::date)
      AND first_day <= coalesce(g.valid_to, 'infinity'::date)
  ), above AS (
    SELECT coalesce((SELECT s.authority_id FROM schools s WHERE s.id = at_school), at_authority) AS id
    UNION SELECT a.parent_id FROM authorities a JOIN above ON above.id = a.id
  ), below AS (
    SELECT at_authority AS id
    UNION SELECT a.id FROM authorities a JOIN below ON a.parent_id = below.id
  )
  SELECT EXISTS (
    SELECT 1 FROM over o
    WHERE o.school_id = at_school
       OR o.authority_id IN (SELECT id FROM above WHERE id IS NOT NULL)
       OR o.authority_id IN (SELECT id FROM below WHERE id IS NOT NULL)
       OR EXISTS (SELECT 1 FROM schools s WHERE s.id = o.school_id
                  AND s.authority_id IN (SELECT id FROM below WHERE id IS NOT NULL))) INTO found;
  {SEE_AS_BEFORE}
  RETURN found;
END $$"""
BOTH = "nobody is cashier and accountant of one school at a time"
# Who gives a role waits for who moves a school, and the other way round.
ROLES_PART = f"""
CREATE OR REPLACE FUNCTION cash_roles_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('cash roles move', 0));
  PERFORM pg_advisory_xact_lock(hashtextextended('cash roles of ' || NEW.user_id, 0));
  IF cash_roles_meet(NEW.user_id, NEW.role, NEW.school_id, NEW.authority_id, NEW.valid_from, NEW.valid_to) THEN
    RAISE EXCEPTION '{BOTH}' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
# Times that are over do not keep a school from moving: what was below the old authority then stays so.
ROLES_CLASH = f"""
CREATE FUNCTION cash_roles_clash(at_school uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  seen text := coalesce(current_setting('app.schools', true), '');
  found boolean;
BEGIN
  {SEE_ALL}
  WITH RECURSIVE above AS (
    SELECT s.authority_id AS id FROM schools s WHERE s.id = at_school
    UNION SELECT a.parent_id FROM authorities a JOIN above ON above.id = a.id
  ), today AS (SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day)
  SELECT EXISTS (
    SELECT 1 FROM role_grants g, today
    WHERE g.role = 'cashier' AND coalesce(g.valid_to, 'infinity'::date) >= today.day
      AND (g.school_id = at_school OR g.authority_id IN (SELECT id FROM above WHERE id IS NOT NULL))
      AND cash_roles_meet(g.user_id, 'cashier', at_school, NULL, greatest(g.valid_from, today.day), g.valid_to))
    INTO found;
  {SEE_AS_BEFORE}
  RETURN found;
END $$"""
SCHOOL_MOVED = f"""
CREATE FUNCTION cash_roles_part_where_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash roles move', 0));
  IF cash_roles_clash(NEW.id) THEN
    RAISE EXCEPTION '{BOTH}' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$"""
AUTHORITY_MOVED = f"""
CREATE FUNCTION cash_roles_part_below() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  seen text := coalesce(current_setting('app.schools', true), '');
  found boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash roles move', 0));
  {SEE_ALL}
  SELECT EXISTS (
    WITH RECURSIVE below AS (
      SELECT NEW.id AS id UNION SELECT a.id FROM authorities a JOIN below ON a.parent_id = below.id
    )
    SELECT 1 FROM schools s WHERE s.authority_id IN (SELECT id FROM below) AND cash_roles_clash(s.id)
  ) INTO found;
  {SEE_AS_BEFORE}
  IF found THEN
    RAISE EXCEPTION '{BOTH}' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$"""
MOVED = (
    ("schools", "authority_id", "cash_roles_part_where_moved"),
    ("authorities", "parent_id", "cash_roles_part_below"),
)

# Who the till was handed to last; before the first hand-over, who took or counted last.
KEEPER = r"""
CREATE FUNCTION cash_keeper(at_school uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT h.receiver FROM cash_handovers h JOIN cash_handover_decisions d
       ON d.school_id = h.school_id AND d.handover_id = h.id AND d.accepted
     WHERE h.school_id = at_school ORDER BY h.number DESC LIMIT 1),
    (SELECT m.made_by FROM (
       SELECT t.made_by, t.at FROM cash_takings t WHERE t.school_id = at_school
       UNION ALL SELECT c.made_by, c.at FROM cash_counts c WHERE c.school_id = at_school) m
     ORDER BY m.at DESC LIMIT 1))
$$"""
MAY_RECEIVE = r"""
CREATE FUNCTION cash_may_receive(person uuid, at_school uuid, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT (cash_role_at(person, at_school, 'cashier', moment) OR cash_role_at(person, at_school, 'approver', moment))
     AND NOT cash_role_at(person, at_school, 'accountant', moment)
     AND EXISTS (SELECT 1 FROM users u WHERE u.id = person AND u.disabled_at IS NULL)
$$"""
# The cashiers; an approver only while the till is in her hands, or in those of nobody who still works here.
MAY_KEEP = r"""
CREATE FUNCTION cash_may_keep(person uuid, at_school uuid, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT cash_may_receive(person, at_school, moment) AND (
    cash_role_at(person, at_school, 'cashier', moment)
    OR cash_keeper(at_school) = person
    OR (cash_keeper(at_school) IS NOT NULL AND NOT cash_may_receive(cash_keeper(at_school), at_school, moment)))
$$"""
BY_THE_KEEPER = r"""
CREATE FUNCTION cash_by_the_keeper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF cash_may_keep(NEW.made_by, NEW.school_id, NEW.at) IS NOT TRUE THEN
    RAISE EXCEPTION 'the till is counted, emptied and handed over by who keeps it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
KEPT = ("cash_counts", "cash_deposits", "cash_handovers")

# After a hand-over that neither of its people ended, nobody answers for what lies there: it is counted anew.
ENDED_BY_A_THIRD = """
  IF EXISTS (SELECT 1 FROM cash_handover_decisions d JOIN cash_handovers h ON h.school_id = d.school_id
               AND h.id = d.handover_id
             JOIN cash_counts c ON c.school_id = d.school_id AND c.id = NEW.count_id
             WHERE d.school_id = NEW.school_id AND NOT d.accepted AND d.decided_by NOT IN (h.made_by, h.receiver)
               AND d.at >= c.at) THEN
    RAISE EXCEPTION 'the till is counted anew after a hand-over that others ended' USING ERRCODE = 'check_violation';
  END IF;"""
OPEN_ONE = """
CREATE OR REPLACE FUNCTION one_open_cash_handover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_handovers h WHERE h.school_id = NEW.school_id
             AND NOT EXISTS (SELECT 1 FROM cash_handover_decisions d WHERE d.handover_id = h.id)) THEN
    RAISE EXCEPTION 'a hand-over waits for its receiver' USING ERRCODE = 'check_violation';
  END IF;
  IF {wrong} THEN
    RAISE EXCEPTION 'who keeps the accounts of a school does not keep its cash' USING ERRCODE = 'check_violation';
  END IF;{more}
  RETURN NEW;
END $$"""
ACCEPTED = """
CREATE OR REPLACE FUNCTION cash_accepted_by_the_receiver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM cash_handovers h
                 WHERE h.school_id = NEW.school_id AND h.id = NEW.handover_id
                   AND (h.receiver = NEW.decided_by OR (NOT NEW.accepted AND (h.made_by = NEW.decided_by
                        OR cash_role_at(NEW.decided_by, NEW.school_id, 'approver', NEW.at))))) THEN
    RAISE EXCEPTION 'the receiver accepts a hand-over' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.accepted AND {wrong} THEN
    RAISE EXCEPTION 'who keeps the accounts of a school does not keep its cash' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
MAY_NOT = "cash_may_receive({0}, NEW.school_id, NEW.at) IS NOT TRUE"
ACCOUNTS = "cash_role_at({0}, NEW.school_id, 'accountant', NEW.at)"


def upgrade() -> None:
    """Add the functions and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    for body in (ROLES_MEET, ROLES_PART, ROLES_CLASH, SCHOOL_MOVED, AUTHORITY_MOVED):
        op.execute(body)
    for table, column, function in MOVED:
        op.execute(
            f"CREATE TRIGGER {function} AFTER UPDATE OF {column} ON {table} FOR EACH ROW "
            f"WHEN (NEW.{column} IS DISTINCT FROM OLD.{column}) EXECUTE FUNCTION {function}()"
        )
    for body in (KEEPER, MAY_RECEIVE, MAY_KEEP, BY_THE_KEEPER):
        op.execute(body)
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER cash_by_the_keeper BEFORE INSERT ON {table} FOR EACH ROW "
            "EXECUTE FUNCTION cash_by_the_keeper()"
        )
    op.execute(OPEN_ONE.format(wrong=MAY_NOT.format("NEW.receiver"), more=ENDED_BY_A_THIRD))
    op.execute(ACCEPTED.format(wrong=MAY_NOT.format("NEW.decided_by")))


# As 0045 had it.
PARTED = r"""
CREATE OR REPLACE FUNCTION cash_roles_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash roles of ' || NEW.user_id, 0));
  IF EXISTS (
    WITH RECURSIVE over AS (
      SELECT g.id AS grant_id, g.school_id, g.authority_id FROM role_grants g
      WHERE g.user_id = NEW.user_id
        AND g.role = CASE NEW.role WHEN 'cashier' THEN 'accountant' ELSE 'cashier' END
        AND g.valid_from <= coalesce(NEW.valid_to, 'infinity'::date)
        AND NEW.valid_from <= coalesce(g.valid_to, 'infinity'::date)
    ), above AS (
      SELECT coalesce((SELECT s.authority_id FROM schools s WHERE s.id = NEW.school_id), NEW.authority_id) AS id
      UNION SELECT a.parent_id FROM authorities a JOIN above ON above.id = a.id
    ), below AS (
      SELECT NEW.authority_id AS id
      UNION SELECT a.id FROM authorities a JOIN below ON a.parent_id = below.id
    )
    SELECT 1 FROM over o
    WHERE o.school_id = NEW.school_id
       OR o.authority_id IN (SELECT id FROM above WHERE id IS NOT NULL)
       OR o.authority_id IN (SELECT id FROM below WHERE id IS NOT NULL)
       OR EXISTS (SELECT 1 FROM schools s WHERE s.id = o.school_id
                  AND s.authority_id IN (SELECT id FROM below WHERE id IS NOT NULL))
  ) THEN
    RAISE EXCEPTION 'nobody is cashier and accountant of one school at a time' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""


def downgrade() -> None:
    """Take them away again."""
    op.execute(ACCEPTED.format(wrong=ACCOUNTS.format("NEW.decided_by")))
    op.execute(OPEN_ONE.format(wrong=ACCOUNTS.format("NEW.receiver"), more=""))
    for table in KEPT:
        op.execute(f"DROP TRIGGER cash_by_the_keeper ON {table}")
    op.execute("DROP FUNCTION cash_by_the_keeper()")
    for function in ("cash_may_keep", "cash_may_receive"):
        op.execute(f"DROP FUNCTION {function}(uuid, uuid, timestamptz)")
    op.execute("DROP FUNCTION cash_keeper(uuid)")
    for table, _, function in MOVED:
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION cash_roles_clash(uuid)")
    op.execute(PARTED)
    op.execute("DROP FUNCTION cash_roles_meet(uuid, text, uuid, uuid, date, date)")
