"""What must always be true of transfers that go back to their payer, as SQL; ``invariant_queries`` has them too.

Every row that a query returns is one violation, in words.
"""

# A transfer is refunding or refunded exactly while one approved line of its sum stands, refunded while that is tied.
STATE_FOLLOWS_THE_LINE = """WITH standing AS (
    SELECT r.school_id, r.transfer_id, count(*) AS lines, sum(r.amount) AS amount, bool_or(EXISTS (
        SELECT FROM money_out o WHERE o.school_id = r.school_id AND o.refund_line_id = r.id AND <standing>)) AS tied
    FROM refund_lines r
    JOIN refund_decisions d ON d.school_id = r.school_id AND d.refund_id = r.refund_id AND d.approved
    WHERE r.transfer_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM refund_steps s WHERE s.school_id = r.school_id AND s.line_id = r.id AND s.kind = 'taken_back')
    GROUP BY 1, 2)
SELECT format('transfer %s of %s is %s, %s of it is to go back in %s lines', t.id, t.amount, t.state,
              coalesce(g.amount, 0), coalesce(g.lines, 0))
FROM transfers t LEFT JOIN standing g ON g.school_id = t.school_id AND g.transfer_id = t.id
WHERE (t.state IN ('refunding', 'refunded') OR g.lines IS NOT NULL)
  AND (g.lines, g.amount, t.state) IS DISTINCT FROM
      (1, t.amount, CASE WHEN g.tied THEN 'refunded' ELSE 'refunding' END)"""

# What is approved of a transfer stands in the book from suspense to refunds to pay, and is undone when taken back.
GOES_BACK_IN_THE_BOOK = """SELECT format('line %s: %s of transfer %s does not stand in the book', r.id, r.amount,
                                            r.transfer_id)
FROM refund_lines r JOIN refund_decisions d ON d.school_id = r.school_id AND d.refund_id = r.refund_id AND d.approved
WHERE r.transfer_id IS NOT NULL AND 1 <> (
    SELECT count(*) FROM journal_entries e JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
    JOIN ledger_accounts l ON l.id = x.debit_account_id AND l.kind = 'suspense'
    WHERE e.school_id = r.school_id AND e.kind = 'refund_approved' AND e.source_id = r.id::text
      AND x.amount = r.amount)"""

# Who asks does not approve; a transfer is asked back whole.
WHOLE = """SELECT format('line %s gives back %s of transfer %s of %s', r.id, r.amount, t.id, t.amount)
FROM refund_lines r JOIN transfers t ON t.school_id = r.school_id AND t.id = r.transfer_id WHERE r.amount <> t.amount"""

REFUND_QUERIES = (STATE_FOLLOWS_THE_LINE, GOES_BACK_IN_THE_BOOK, WHOLE)
