"""What must always be true of credit and refunds, as SQL; ``invariant_queries`` has them among its own.

Every row that a query returns is one violation, in words.
"""

# What payments, credit notes and refunds leave of a pupil's credit under each item is what the book keeps.
AS_THE_BOOK_SAYS = """WITH told AS (
    SELECT x.pupil_id, x.item, sum(x.amount) AS amount FROM (
        SELECT p.pupil_id, '' AS item, p.amount - a.amount AS amount
        FROM payments p JOIN LATERAL <allocated> a ON true WHERE p.source_kind NOT IN ('credit', 'write_off') AND <live>
        UNION ALL SELECT u.pupil_id, coalesce(u.item_code, ''), -u.amount
        FROM credit_uses u JOIN payments p ON p.source_kind = 'credit' AND p.source_id = u.id
          AND p.school_id = u.school_id WHERE <live>
        UNION ALL SELECT b.pupil_id, l.item_code, c.to_credit
        FROM bill_credits c JOIN bills b ON b.id = c.bill_id
        JOIN bill_lines l ON l.school_id = c.school_id AND l.id = c.line_id
        UNION ALL SELECT r.pupil_id, coalesce(r.item_code, ''), -r.amount
        FROM refund_lines r JOIN refund_decisions d ON d.refund_id = r.refund_id AND d.approved
        WHERE r.pupil_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM refund_steps s WHERE s.line_id = r.id AND s.kind = 'taken_back')) x
    GROUP BY 1, 2),
book AS (
    SELECT x.pupil_id, coalesce(x.item_code, '') AS item,
           sum(CASE WHEN x.credit_account_id = l.id THEN x.amount ELSE -x.amount END) AS amount
    FROM postings x
    JOIN journal_entries e ON e.school_id = x.school_id AND e.id = x.entry_id
    LEFT JOIN journal_entries o ON o.id = e.reverses_id
    JOIN ledger_accounts l ON l.kind = 'credit' AND l.id IN (x.debit_account_id, x.credit_account_id)
    WHERE coalesce(o.kind, e.kind) IN ('payment', 'bill_credited', 'refund_approved') GROUP BY 1, 2)
SELECT format('pupil %s, item "%s": payments, notes and refunds leave %s, the book says %s',
              coalesce(told.pupil_id, book.pupil_id), coalesce(told.item, book.item), coalesce(told.amount, 0),
              coalesce(book.amount, 0))
FROM told FULL JOIN book ON book.pupil_id = told.pupil_id AND book.item = told.item
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

NEVER_BELOW_ZERO = """SELECT format('pupil %s, item "%s": %s of credit', x.pupil_id, x.item_code,
              sum(CASE WHEN x.credit_account_id = l.id THEN x.amount ELSE -x.amount END))
FROM postings x JOIN ledger_accounts l ON l.code = '3383' AND l.id IN (x.debit_account_id, x.credit_account_id)
GROUP BY x.school_id, x.pupil_id, x.item_code
HAVING x.pupil_id IS NULL OR sum(CASE WHEN x.credit_account_id = l.id THEN x.amount ELSE -x.amount END) < 0"""

USED_AS_PAID = """SELECT format('payment %s uses credit, its use says otherwise', p.id)
FROM payments p
LEFT JOIN credit_uses u ON u.school_id = p.school_id AND u.id = p.source_id AND u.pupil_id = p.pupil_id
LEFT JOIN allocations a ON a.school_id = p.school_id AND a.payment_id = p.id AND a.bill_id = u.bill_id
WHERE p.source_kind = 'credit' AND (u.id IS NULL OR a.id IS NULL OR u.amount <> p.amount OR a.amount <> p.amount)
UNION ALL SELECT format('use of credit %s has no payment', u.id) FROM credit_uses u
WHERE NOT EXISTS (SELECT FROM payments p WHERE p.school_id = u.school_id AND p.source_kind = 'credit'
                  AND p.source_id = u.id)"""

# What was approved and is neither paid in cash nor taken back is what the book owes; paid by bank stays owed until
# it is tied to its transfer.
OWED_AS_APPROVED = """WITH last AS (
    SELECT DISTINCT ON (s.line_id) s.line_id, s.kind FROM refund_steps s ORDER BY s.line_id, s.turn DESC),
told AS (
    SELECT r.school_id, sum(r.amount) AS amount
    FROM refund_lines r JOIN refund_decisions d ON d.refund_id = r.refund_id AND d.approved
    LEFT JOIN last ON last.line_id = r.id
    WHERE coalesce(last.kind, '') NOT IN ('paid', 'taken_back') GROUP BY 1),
book AS (
    SELECT x.school_id, sum(CASE WHEN x.credit_account_id = l.id THEN x.amount ELSE -x.amount END) AS amount
    FROM postings x
    JOIN journal_entries e ON e.school_id = x.school_id AND e.id = x.entry_id
    LEFT JOIN journal_entries o ON o.id = e.reverses_id
    JOIN ledger_accounts l ON l.code = '3388H' AND l.id IN (x.debit_account_id, x.credit_account_id)
    WHERE coalesce(o.kind, e.kind) IN ('refund_approved', 'refund_paid') GROUP BY 1)
SELECT format('school %s: %s of refunds is to be paid out, the book owes %s', coalesce(told.school_id, book.school_id),
              coalesce(told.amount, 0), coalesce(book.amount, 0))
FROM told FULL JOIN book ON book.school_id = told.school_id
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

# What a former program handed over stands in the book once: dues as opening bills, credit as credit.
FORMER_AS_THE_BOOK_SAYS = """WITH told AS (
    SELECT b.school_id, b.pupil_id, b.kind, b.item_code, sum(b.amount) AS amount FROM former_balances b
    GROUP BY 1, 2, 3, 4),
book AS (
    SELECT x.school_id, x.pupil_id, CASE WHEN x.credit_account_id = l.id THEN 'due' ELSE 'credit' END AS kind,
           coalesce(x.item_code, '') AS item_code, sum(x.amount) AS amount
    FROM postings x
    JOIN journal_entries e ON e.school_id = x.school_id AND e.id = x.entry_id AND e.reverses_id IS NULL
    JOIN ledger_accounts l ON l.code = '3389C' AND l.id IN (x.debit_account_id, x.credit_account_id)
    WHERE e.kind IN ('bill_issued', 'former_credit') GROUP BY 1, 2, 3, 4)
SELECT format('pupil %s, item "%s": %s of %s taken over, the book says %s', coalesce(told.pupil_id, book.pupil_id),
              coalesce(told.item_code, book.item_code), coalesce(told.amount, 0), coalesce(told.kind, book.kind),
              coalesce(book.amount, 0))
FROM told FULL JOIN book ON book.school_id = told.school_id AND book.pupil_id = told.pupil_id
    AND book.kind = told.kind AND book.item_code = told.item_code
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

CREDIT_QUERIES = (AS_THE_BOOK_SAYS, NEVER_BELOW_ZERO, USED_AS_PAID, OWED_AS_APPROVED)
