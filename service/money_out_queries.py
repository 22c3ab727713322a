"""What must always be true of money out and its purposes, as SQL; ``invariant_queries`` has them among its own.

Every row that a query returns is one violation, in words.
"""

# What has no purpose, less what the insurer was given by approved payouts that stand there from the other side.
CLEARING_HOLDS_THE_UNKNOWN = """WITH parts AS (
    SELECT t.school_id, t.amount FROM transfers t WHERE t.direction = 'out' AND t.state = 'ignored_out'
    UNION ALL SELECT o.school_id, -o.amount FROM money_out o WHERE o.kind <> 'insurance' AND <standing>
    UNION ALL SELECT p.school_id, -p.amount FROM insurance_payouts p
    JOIN insurance_payout_steps s ON s.school_id = p.school_id AND s.payout_id = p.id AND s.kind = 'approved'
    WHERE NOT EXISTS (SELECT FROM insurance_payout_steps u WHERE u.payout_id = p.id AND u.kind = 'undone')),
told AS (SELECT school_id, sum(amount) AS amount FROM parts GROUP BY 1),
book AS (
    SELECT x.school_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) AS amount
    FROM postings x JOIN ledger_accounts l ON l.code = '1388' AND l.id IN (x.debit_account_id, x.credit_account_id)
    GROUP BY 1)
SELECT format('school %s: %s went out unexplained, account 1388 holds %s', s.id, coalesce(told.amount, 0),
              coalesce(book.amount, 0))
FROM schools s LEFT JOIN told ON told.school_id = s.id LEFT JOIN book ON book.school_id = s.id
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

NOT_MORE_THAN_WENT_OUT = """SELECT format('transfer %s of %s: its purposes come to %s', t.id, t.amount, sum(o.amount))
FROM money_out o JOIN transfers t ON t.school_id = o.school_id AND t.id = o.transfer_id
WHERE <standing> GROUP BY t.id, t.amount, t.direction, t.state
HAVING sum(o.amount) > t.amount OR t.direction <> 'out' OR t.state <> 'ignored_out'"""

POSTED_AND_REVERSED = """SELECT format('purpose %s of %s does not stand in the book', o.id, o.amount)
FROM money_out o LEFT JOIN money_out_ends v ON v.school_id = o.school_id AND v.purpose_id = o.id
WHERE o.kind <> 'insurance' AND (
    NOT EXISTS (SELECT FROM postings x JOIN ledger_accounts l ON l.id = x.credit_account_id AND l.code = '1388'
                WHERE x.school_id = o.school_id AND x.entry_id = o.entry_id AND x.amount = o.amount)
    OR (v.purpose_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM journal_entries e WHERE e.school_id = o.school_id AND e.id = v.entry_id
          AND e.reverses_id = o.entry_id)))"""

TIED_ONCE = """SELECT format('%s is tied %s times', tied.id, count(*))
FROM money_out o
CROSS JOIN LATERAL (SELECT coalesce(o.insurance_payout_id, o.refund_line_id, o.payout_id, o.leg_id, o.card_act_id,
                                    o.cash_withdrawal_id) AS id) tied
WHERE <standing> AND tied.id IS NOT NULL GROUP BY tied.id HAVING count(*) > 1"""

# Held money out is not believed yet; what was put aside is taken out again.
STANDS_WHILE_BELIEVED = """SELECT format('transfer %s, %s out and %s: the book holds %s', t.id, t.amount, t.state,
                                                      coalesce(book.amount, 0))
FROM transfers t LEFT JOIN LATERAL (
    SELECT sum(x.amount) AS amount FROM journal_entries e
    JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
    WHERE e.school_id = t.school_id AND e.kind = 'transfer_sent' AND e.source_id = t.id::text
      AND NOT EXISTS (SELECT FROM journal_entries v WHERE v.school_id = e.school_id AND v.reverses_id = e.id)) book
    ON true
WHERE t.direction = 'out'
  AND coalesce(book.amount, 0) <> CASE WHEN t.state = 'ignored_out' THEN t.amount ELSE 0 END"""

MONEY_OUT_QUERIES = (
    CLEARING_HOLDS_THE_UNKNOWN,
    NOT_MORE_THAN_WENT_OUT,
    POSTED_AND_REVERSED,
    TIED_ONCE,
    STANDS_WHILE_BELIEVED,
)
