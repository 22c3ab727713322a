"""What must always be true of closed months, as SQL; ``invariant_queries`` has them among its own.

Every row that a query returns is one violation, in words.
"""

# What moved in the days that a closing closed is for ever what it was then.
FIGURES_STAY = """WITH live AS (
    SELECT c.school_id, c.month, c.turn, coalesce(c.since, '-infinity'::date) AS since,
           (c.month + interval '1 month')::date AS until
    FROM closed_periods c WHERE c.ask_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM period_reopenings r WHERE r.school_id = c.school_id AND r.month = c.month AND r.turn = c.turn)),
book AS (
    SELECT v.school_id, v.month, v.turn, l.id AS account_id,
           coalesce(sum(x.amount) FILTER (WHERE x.debit_account_id = l.id), 0) AS debit,
           coalesce(sum(x.amount) FILTER (WHERE x.credit_account_id = l.id), 0) AS credit
    FROM live v
    JOIN journal_entries e ON e.school_id = v.school_id AND e.value_date >= v.since AND e.value_date < v.until
    JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
    JOIN ledger_accounts l ON l.school_id = x.school_id AND l.id IN (x.debit_account_id, x.credit_account_id)
    GROUP BY v.school_id, v.month, v.turn, l.id),
told AS (
    SELECT f.* FROM closed_figures f JOIN live v USING (school_id, month, turn))
SELECT format('school %s, closed month %s, account %s: %s/%s then, %s/%s now', school_id, month, account_id,
              coalesce(told.debit, 0), coalesce(told.credit, 0), coalesce(book.debit, 0), coalesce(book.credit, 0))
FROM told FULL JOIN book USING (school_id, month, turn, account_id)
WHERE coalesce(told.debit, 0) <> coalesce(book.debit, 0) OR coalesce(told.credit, 0) <> coalesce(book.credit, 0)"""

# An entry that stands later than its day does so because that day is closed, on the first day that was open then.
LATE_ON_A_FIRST_DAY = """SELECT format('entry %s of %s stands on %s', e.id, e.true_day, e.value_date)
FROM journal_entries e WHERE e.true_day IS NOT NULL AND NOT EXISTS (
    SELECT FROM closed_periods c WHERE c.school_id = e.school_id
      AND (c.month + interval '1 month')::date = e.value_date AND c.closed_at <= e.recorded_at)"""

PERIOD_BY_TWO = """SELECT format('month %s of school %s: one person asked and decided', a.month, a.school_id)
FROM period_asks a JOIN period_decisions d ON d.ask_id = a.id AND d.agreed WHERE a.made_by = d.decided_by"""

PERIOD_QUERIES = (FIGURES_STAY, LATE_ON_A_FIRST_DAY)
