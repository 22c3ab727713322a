"""What must always be true of card money, as SQL; ``invariant_queries`` has them among its own.

Every row that a query returns is one violation, in words.
"""

from reconciliation.cards.settling import UNSETTLED

# What Stripe holds for the school or has on its way to the bank: payments that stand, less losses, fees and what Stripe
# moved by itself, less tied payouts; and what it held before.
IN_TRANSIT = """WITH parts AS (
    SELECT p.school_id, p.amount FROM payments p WHERE p.source_kind = 'card' AND <live>
    UNION ALL SELECT f.school_id, CASE WHEN f.kind IN ('fee', 'moved_out') THEN -f.amount ELSE f.amount END
    FROM card_facts f WHERE f.kind IN ('fee', 'fee_back', 'moved_out', 'moved_in')
    UNION ALL SELECT o.school_id, o.amount FROM card_openings o
    UNION ALL SELECT l.school_id, CASE WHEN l.grows THEN -l.amount ELSE l.amount END FROM card_losses l
    UNION ALL SELECT c.school_id, CASE WHEN c.act_id IS NULL THEN -f.amount ELSE -least(f.amount, t.amount) END
    FROM card_payout_ties c JOIN transfers t ON t.school_id = c.school_id AND t.id = c.transfer_id
    JOIN card_facts f ON f.school_id = c.school_id AND f.kind = 'payout' AND f.stripe_id = c.payout_id
    WHERE <stands>),
told AS (SELECT school_id, sum(amount) AS amount FROM parts GROUP BY 1),
book AS (
    SELECT x.school_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) AS amount
    FROM postings x JOIN ledger_accounts l ON l.code = '113T' AND l.id IN (x.debit_account_id, x.credit_account_id)
    GROUP BY 1)
SELECT format('school %s: %s of card money is on its way, account 113T holds %s', s.id, coalesce(told.amount, 0),
              coalesce(book.amount, 0))
FROM schools s LEFT JOIN told ON told.school_id = s.id LEFT JOIN book ON book.school_id = s.id
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

TIED_MONEY = """SELECT format('payout %s is tied to transfer %s, which is %s %s', c.payout_id, t.id, t.state, t.amount)
FROM card_payout_ties c JOIN transfers t ON t.school_id = c.school_id AND t.id = c.transfer_id
JOIN card_facts f ON f.school_id = c.school_id AND f.kind = 'payout' AND f.stripe_id = c.payout_id
WHERE <stands> AND (t.state <> 'matched' OR t.direction <> 'in' OR c.act_id IS NULL AND t.amount > f.amount
    OR c.act_id IS NULL AND t.amount < f.amount AND NOT EXISTS (
        SELECT FROM card_acts a JOIN card_act_decisions d ON d.act_id = a.id AND d.approved
        WHERE a.school_id = c.school_id AND a.kind = 'tie' AND a.subject = c.payout_id
          AND a.transfer_id = c.transfer_id))"""

# One payout that came in several transfers, or several in one: all of them stand, and fit to the đồng.
TIED_TOGETHER = """WITH several AS (
    SELECT c.school_id, c.act_id, array_agg(c.payout_id) AS payouts, array_agg(c.transfer_id) AS transfers
    FROM card_payout_ties c WHERE c.act_id IS NOT NULL AND <stands> GROUP BY c.school_id, c.act_id)
SELECT format('act %s ties payouts of %s to transfers of %s', s.act_id, paid.amount, came.amount) FROM several s
JOIN LATERAL (SELECT sum(f.amount) AS amount FROM card_facts f WHERE f.school_id = s.school_id AND f.kind = 'payout'
    AND f.stripe_id = ANY (s.payouts)) paid ON true
JOIN LATERAL (SELECT sum(t.amount) AS amount FROM transfers t WHERE t.school_id = s.school_id
    AND t.id = ANY (s.transfers)) came ON true
WHERE paid.amount IS DISTINCT FROM came.amount"""

# Stripe took the money back, or the bank never brought it: two people untie it, and have an hour for it.
FAILED_TIE = """SELECT format('payout %s failed, and transfer %s is still tied to it', c.payout_id, c.transfer_id)
FROM card_payout_ties c
JOIN card_facts f ON f.school_id = c.school_id AND f.kind = 'payout_failed' AND f.stripe_id = c.payout_id
WHERE <stands> AND f.recorded_at < CAST(:now AS timestamptz) - interval '1 hour'"""

# What nobody could read stands on 1388T until two people explained it, or the money out that it was is tied to it.
UNCLEAR_IS_SHOWN = """WITH told AS (
    SELECT f.school_id, sum(CASE f.kind WHEN 'moved_out' THEN f.amount ELSE -f.amount END) AS amount
    FROM card_facts f WHERE f.kind IN ('moved_out', 'moved_in') AND NOT EXISTS (
        SELECT FROM card_acts a JOIN card_act_decisions d ON d.act_id = a.id AND d.approved
        WHERE a.school_id = f.school_id AND a.kind = 'explain' AND a.subject = f.stripe_id)
      AND NOT EXISTS (SELECT FROM card_acts a JOIN money_out o ON o.school_id = a.school_id AND o.card_act_id = a.id
        WHERE a.school_id = f.school_id AND a.subject = f.stripe_id AND <standing>) GROUP BY 1),
book AS (
    SELECT x.school_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) AS amount
    FROM postings x JOIN ledger_accounts l ON l.code = '1388T' AND l.id IN (x.debit_account_id, x.credit_account_id)
    GROUP BY 1)
SELECT format('school %s: %s of Stripe''s movements is unclear, account 1388T holds %s', s.id,
              coalesce(told.amount, 0), coalesce(book.amount, 0))
FROM schools s LEFT JOIN told ON told.school_id = s.id LEFT JOIN book ON book.school_id = s.id
WHERE coalesce(told.amount, 0) <> coalesce(book.amount, 0)"""

# A job settles within minutes; what stands longer needs a person, who frees the credit that was used.
SETTLED_WITHIN_AN_HOUR = f"""SELECT format('card checkout %s is worth %s, in the book stands %s', u.checkout_id,
                                            u.worth, u.stands)
FROM ({UNSETTLED}) AS u WHERE u.since < CAST(:now AS timestamptz) - interval '1 hour'"""  # noqa: S608  our own text

HAS_A_CHECKOUT = """SELECT format('card payment %s of %s: its checkout was paid %s', p.id, p.amount, f.amount)
FROM payments p LEFT JOIN card_facts f
  ON f.school_id = p.school_id AND f.kind = 'paid' AND f.checkout_id = p.source_id
WHERE p.source_kind = 'card' AND (f.id IS NULL OR p.amount > f.amount)"""

# Sent within minutes; what Stripe does not take, or whose feed is closed, needs a person.
REFUND_SENT = """SELECT format('card refund %s of %s is approved, and Stripe has not answered', r.id, r.amount)
FROM card_refunds r JOIN card_refund_decisions d ON d.refund_id = r.id AND d.approved
WHERE d.at < CAST(:now AS timestamptz) - interval '1 hour'
  AND NOT EXISTS (SELECT FROM card_refund_answers a WHERE a.refund_id = r.id)"""

# Stripe tells within minutes of its end what came of a page, and a bank's own payment takes days at most. What stands
# longer was put aside, and neither booked nor given back: a family's money, or one that can pay by card no more.
PAGE_HEARD = """SELECT format('card checkout %s of %s: its page is over, and nothing is booked or given back',
                             c.id, c.amount)
FROM card_checkouts c JOIN card_sessions s ON s.checkout_id = c.id
WHERE c.expires_at < CAST(:now AS timestamptz) - interval '1 day'
  AND NOT EXISTS (SELECT FROM card_facts f WHERE f.school_id = c.school_id AND f.checkout_id = c.id)
  AND NOT EXISTS (SELECT FROM card_ends e WHERE e.checkout_id = c.id)"""

# Fees and payouts would come in other money, and 113T never be cleared; offered to no family as long as it is so.
IN_DONG = """SELECT format('account %s takes cards, and Stripe holds %s for it', b.bank_account_id, b.others)
FROM card_balances b WHERE b.others <> '' AND NOT EXISTS (SELECT FROM card_balances n
    WHERE n.school_id = b.school_id AND n.bank_account_id = b.bank_account_id AND n.id > b.id)
  AND (SELECT s.turned_on FROM card_switches s JOIN card_switch_decisions d ON d.switch_id = s.id AND d.approved
    WHERE s.school_id = b.school_id AND s.bank_account_id = b.bank_account_id ORDER BY d.at DESC, s.id DESC LIMIT 1)"""

CARD_QUERIES = (
    PAGE_HEARD,
    IN_TRANSIT,
    TIED_MONEY,
    TIED_TOGETHER,
    FAILED_TIE,
    UNCLEAR_IS_SHOWN,
    SETTLED_WITHIN_AN_HOUR,
    REFUND_SENT,
    IN_DONG,
)
