"""What must always be true of cash, as SQL; ``invariant_queries`` has them among its own.

Every row that a query returns is one violation, in words.
"""

# Account 111 = takings − their reversals + cash of the State − refunds and support paid out − paid into the bank
# + fetched from it, with the differences of counts that two people agreed to.
TILL_AS_THE_BOOK_SAYS = """WITH parts AS (
    SELECT p.school_id, p.amount FROM payments p WHERE p.source_kind = 'cash' AND <live>
    UNION ALL SELECT s.school_id, CASE WHEN s.reverses_id IS NULL THEN s.amount ELSE -s.amount END
    FROM state_payments s WHERE s.way = 'cash'
    UNION ALL SELECT o.school_id, CASE WHEN o.reverses_id IS NULL THEN -o.amount ELSE o.amount END
    FROM payouts o WHERE o.way = 'cash'
    UNION ALL SELECT l.school_id, CASE WHEN s.kind = 'paid' THEN -l.amount ELSE l.amount END
    FROM refund_lines l JOIN refund_steps s ON s.school_id = l.school_id AND s.line_id = l.id
    WHERE l.way = 'cash' AND s.kind IN ('paid', 'undone')
    UNION ALL SELECT d.school_id, -d.amount FROM cash_deposits d
    WHERE NOT EXISTS (SELECT FROM cash_deposit_ends e WHERE e.deposit_id = d.id)
    UNION ALL SELECT w.school_id, w.amount FROM cash_withdrawals w
    WHERE NOT EXISTS (SELECT FROM cash_withdrawal_ends e WHERE e.withdrawal_id = w.id)
    UNION ALL SELECT c.school_id, c.counted - c.book
    FROM cash_counts c JOIN cash_count_decisions d ON d.count_id = c.id AND d.agreed),
told AS (SELECT school_id, sum(amount) AS amount FROM parts GROUP BY 1),
book AS (
    SELECT x.school_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) AS amount
    FROM postings x JOIN ledger_accounts l ON l.code = '111' AND l.id IN (x.debit_account_id, x.credit_account_id)
    GROUP BY 1)
SELECT format('school %s: cash comes to %s, account 111 holds %s', s.id, coalesce(told.amount, 0),
              coalesce(book.amount, 0))
FROM schools s LEFT JOIN told ON told.school_id = s.id LEFT JOIN book ON book.school_id = s.id
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

TAKEN_AS_PAID = """SELECT format('taking %s of %s has %s payments', t.id, t.amount, count(p.id))
FROM cash_takings t LEFT JOIN payments p ON p.school_id = t.school_id AND p.source_kind = 'cash'
  AND p.source_id = t.id AND p.amount = t.amount AND p.pupil_id = t.pupil_id
GROUP BY t.id, t.amount HAVING count(p.id) <> 1"""

REVERSED_AS_DECIDED = """SELECT format('taking %s: reversal decided and payment reversed do not go together', t.id)
FROM cash_takings t JOIN payments p ON p.school_id = t.school_id AND p.source_kind = 'cash' AND p.source_id = t.id
WHERE (<live>) = EXISTS (
    SELECT FROM cash_reversals r JOIN cash_reversal_decisions d ON d.reversal_id = r.id AND d.approved
    WHERE r.school_id = t.school_id AND r.taking_id = t.id)"""

RECEIPT_OR_LEAF = """SELECT format('payment %s has no receipt', p.id) FROM payments p
WHERE p.source_kind NOT IN ('credit', 'write_off')
  AND NOT EXISTS (SELECT FROM receipts r WHERE r.school_id = p.school_id AND r.payment_id = p.id)
  AND NOT (p.source_kind = 'cash' AND EXISTS (
      SELECT FROM paper_numbers n WHERE n.school_id = p.school_id AND n.taking_id = p.source_id))"""

# One piece of paper for one sum: a receipt of ours, or a leaf of a paper book.
ONE_PAPER = """SELECT format('taking %s has a receipt and a leaf of a paper book', n.taking_id) FROM paper_numbers n
JOIN payments p ON p.school_id = n.school_id AND p.source_kind = 'cash' AND p.source_id = n.taking_id
JOIN receipts r ON r.school_id = p.school_id AND r.payment_id = p.id"""

LEAF_ONCE = """SELECT format('book %s: number %s counts %s times', n.book_id, n.number, count(*)) FROM paper_numbers n
WHERE NOT EXISTS (
    SELECT FROM cash_reversals r JOIN cash_reversal_decisions d ON d.reversal_id = r.id AND d.approved
    WHERE r.school_id = n.school_id AND r.taking_id = n.taking_id)
GROUP BY n.book_id, n.number HAVING count(*) > 1"""

# What is on its way to the bank, less what is on its way from it, stands on 113 until the bank's transfer is tied.
IN_TRANSIT_AS_THE_BOOK_SAYS = """WITH parts AS (
    SELECT d.school_id, d.amount FROM cash_deposits d
    WHERE NOT EXISTS (SELECT FROM cash_deposit_ends e WHERE e.deposit_id = d.id)
      AND NOT EXISTS (SELECT FROM cash_deposit_ties t WHERE t.deposit_id = d.id
                      AND NOT EXISTS (SELECT FROM cash_tie_ends e WHERE e.tie_id = t.id))
    UNION ALL SELECT w.school_id, -w.amount FROM cash_withdrawals w
    WHERE w.bank_account_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM cash_withdrawal_ends e WHERE e.withdrawal_id = w.id)
      AND NOT EXISTS (SELECT FROM money_out o WHERE o.cash_withdrawal_id = w.id AND <standing>)),
told AS (SELECT school_id, sum(amount) AS amount FROM parts GROUP BY 1),
book AS (
    SELECT x.school_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) AS amount
    FROM postings x JOIN ledger_accounts l ON l.code = '113' AND l.id IN (x.debit_account_id, x.credit_account_id)
    GROUP BY 1)
SELECT format('school %s: %s is on its way to the bank, account 113 holds %s', s.id, coalesce(told.amount, 0),
              coalesce(book.amount, 0))
FROM schools s LEFT JOIN told ON told.school_id = s.id LEFT JOIN book ON book.school_id = s.id
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

HANDED_ONCE = """SELECT format('movement %s of cash is in %s hand-overs', l.entry_id, count(*))
FROM cash_handover_lines l
WHERE NOT EXISTS (SELECT FROM cash_handover_decisions d WHERE d.handover_id = l.handover_id AND NOT d.accepted)
GROUP BY l.entry_id HAVING count(*) > 1"""

HANDED_AS_COUNTED = """SELECT format('hand-over %s: %s and %s of movements is not %s', h.id, h.opening, moved.amount,
                                      h.closing)
FROM cash_handovers h JOIN cash_counts c ON c.school_id = h.school_id AND c.id = h.count_id
JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END), 0) AS amount
    FROM cash_handover_lines n JOIN postings x ON x.school_id = n.school_id AND x.entry_id = n.entry_id
    JOIN ledger_accounts l ON l.code = '111' AND l.id IN (x.debit_account_id, x.credit_account_id)
    WHERE n.school_id = h.school_id AND n.handover_id = h.id) moved ON true
WHERE h.opening + moved.amount <> h.closing OR c.counted <> h.closing"""

# Money between the school's own accounts, of its card payments, and its own cash brought to the bank: nobody's payment.
OWN_OF_TRANSFER = """(coalesce((SELECT sum(o.amount) FROM money_out o
        WHERE o.school_id = t.school_id AND o.leg_id = t.id AND <standing>), 0)
    + coalesce((SELECT t.amount FROM card_payout_ties c
        WHERE c.school_id = t.school_id AND c.transfer_id = t.id AND <stands> LIMIT 1), 0)
    + coalesce((SELECT sum(d.amount) FROM cash_deposit_ties i JOIN cash_deposits d ON d.id = i.deposit_id
        WHERE i.school_id = t.school_id AND i.transfer_id = t.id
          AND NOT EXISTS (SELECT FROM cash_tie_ends e WHERE e.tie_id = i.id)), 0))"""

CASH_DEEDS = """SELECT format('%s %s has no deed', m.kind, m.id) FROM (
    SELECT 'cash taking' AS kind, t.school_id, t.id FROM cash_takings t
    UNION ALL SELECT 'cash count', c.school_id, c.id FROM cash_counts c
    UNION ALL SELECT 'cash deposit', d.school_id, d.id FROM cash_deposits d
    UNION ALL SELECT 'cash withdrawal', w.school_id, w.id FROM cash_withdrawals w
    UNION ALL SELECT 'hand-over', h.school_id, h.id FROM cash_handovers h) m
WHERE NOT EXISTS (SELECT FROM audit_entries a WHERE a.school_id = m.school_id AND a.object_id = m.id::text)"""

CASH_BY_TWO = """SELECT format('%s %s: one person made and approved it', m.kind, m.id) FROM (
    SELECT 'cash reversal' AS kind, r.id, r.made_by, d.decided_by FROM cash_reversals r
    JOIN cash_reversal_decisions d ON d.reversal_id = r.id AND d.approved
    UNION ALL SELECT 'cash count', c.id, c.made_by, d.decided_by FROM cash_counts c
    JOIN cash_count_decisions d ON d.count_id = c.id
    UNION ALL SELECT 'cash deposit', d.id, d.made_by, e.made_by FROM cash_deposits d
    JOIN cash_deposit_ends e ON e.deposit_id = d.id
    UNION ALL SELECT 'cash withdrawal', w.id, w.made_by, e.made_by FROM cash_withdrawals w
    JOIN cash_withdrawal_ends e ON e.withdrawal_id = w.id
    UNION ALL SELECT 'money out of the till', w.id, w.made_by, o.made_by FROM cash_withdrawals w
    JOIN money_out o ON o.cash_withdrawal_id = w.id
    UNION ALL SELECT 'tie of a deposit', a.id, a.made_by, d.decided_by FROM cash_tie_asks a
    JOIN cash_tie_decisions d ON d.ask_id = a.id AND d.agreed
    UNION ALL SELECT 'hand-over', h.id, h.made_by, d.decided_by FROM cash_handovers h
    JOIN cash_handover_decisions d ON d.handover_id = h.id AND d.accepted) m
WHERE m.made_by = m.decided_by"""

CASH_QUERIES = (
    TILL_AS_THE_BOOK_SAYS,
    IN_TRANSIT_AS_THE_BOOK_SAYS,
    TAKEN_AS_PAID,
    REVERSED_AS_DECIDED,
    HANDED_ONCE,
    HANDED_AS_COUNTED,
)
PAPER_QUERIES = (RECEIPT_OR_LEAF, ONE_PAPER, LEAF_ONCE)
