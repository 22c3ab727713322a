"""What must always be true of money (I1 to I7): bank, book, bills, payments and receipts say the same, as SQL.

Every row that a query returns is one violation, in words; ``invariant_queries`` has them all.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.card_queries import CARD_QUERIES, HAS_A_CHECKOUT
from service.cash_queries import CASH_QUERIES, PAPER_QUERIES
from service.credit_queries import CREDIT_QUERIES, FORMER_AS_THE_BOOK_SAYS
from service.invariant_words import Invariant
from service.money_out_queries import MONEY_OUT_QUERIES
from service.period_queries import PERIOD_QUERIES
from service.refund_queries import REFUND_QUERIES

OF_MONEY: Mapping[str, Invariant] = {
    "I1": Invariant(
        "Tiền vào = đã phân bổ + nộp thừa + chờ xử lý + hoàn trả + chuyển nội bộ; tiền ra chưa rõ = 1388, từng trường",
        "SELECT count(*) FROM bank_accounts",
        (
            """WITH bank AS (
                SELECT t.bank_account_id, sum(t.amount) AS amount FROM transfers t
                WHERE t.direction = 'in' AND <counted> GROUP BY 1),
            book AS (
                SELECT l.bank_account_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END)
                    AS amount
                FROM postings x
                JOIN journal_entries e ON e.id = x.entry_id
                LEFT JOIN journal_entries o ON o.id = e.reverses_id
                JOIN ledger_accounts l ON l.kind = 'bank' AND l.id IN (x.debit_account_id, x.credit_account_id)
                WHERE coalesce(o.kind, e.kind) = 'transfer_received' GROUP BY 1)
            SELECT format('bank account %s: %s in from the bank, %s in the book', a.id, coalesce(bank.amount, 0),
                          coalesce(book.amount, 0))
            FROM bank_accounts a LEFT JOIN bank ON bank.bank_account_id = a.id
            LEFT JOIN book ON book.bank_account_id = a.id
            WHERE coalesce(bank.amount, 0) <> coalesce(book.amount, 0)""",
            """WITH rest AS (
                SELECT t.school_id, sum(t.amount - <paid of transfer> - <own of transfer>) AS amount FROM transfers t
                WHERE t.direction = 'in' AND <counted> AND t.state NOT IN ('refunding', 'refunded') GROUP BY 1),
            suspense AS (
                SELECT x.school_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) AS debit
                FROM postings x JOIN ledger_accounts l ON l.id IN (x.debit_account_id, x.credit_account_id)
                WHERE l.kind = 'suspense' GROUP BY x.school_id)
            SELECT format('school %s: %s waits, the book holds %s in suspense', s.id, coalesce(rest.amount, 0),
                          -coalesce(suspense.debit, 0))
            FROM schools s LEFT JOIN rest ON rest.school_id = s.id LEFT JOIN suspense ON suspense.school_id = s.id
            WHERE coalesce(rest.amount, 0) <> -coalesce(suspense.debit, 0)""",
            *MONEY_OUT_QUERIES,
            *CARD_QUERIES,
            *REFUND_QUERIES,
            *CASH_QUERIES,
        ),
    ),
    "I2": Invariant(
        "Mỗi bút toán cân đối và có nội dung",
        "SELECT count(*) FROM journal_entries",
        (
            """SELECT format('entry %s has no posting', e.id) FROM journal_entries e
            WHERE NOT EXISTS (SELECT FROM postings x WHERE x.school_id = e.school_id AND x.entry_id = e.id)""",
            """SELECT format('posting %s has no entry or no account of its school', x.id) FROM postings x
            WHERE NOT EXISTS (SELECT FROM journal_entries e WHERE e.id = x.entry_id AND e.school_id = x.school_id)
               OR NOT EXISTS (SELECT FROM ledger_accounts l
                              WHERE l.id = x.debit_account_id AND l.school_id = x.school_id)
               OR NOT EXISTS (SELECT FROM ledger_accounts l
                              WHERE l.id = x.credit_account_id AND l.school_id = x.school_id)""",
            """SELECT format('entry %s does not undo entry %s posting by posting', e.id, e.reverses_id)
            FROM journal_entries e WHERE e.reverses_id IS NOT NULL AND EXISTS (
                (SELECT x.debit_account_id, x.credit_account_id, x.amount, x.pupil_id, x.bill_id FROM postings x
                 WHERE x.school_id = e.school_id AND x.entry_id = e.reverses_id
                 EXCEPT ALL SELECT x.credit_account_id, x.debit_account_id, x.amount, x.pupil_id, x.bill_id
                 FROM postings x WHERE x.school_id = e.school_id AND x.entry_id = e.id)
                UNION ALL
                (SELECT x.credit_account_id, x.debit_account_id, x.amount, x.pupil_id, x.bill_id FROM postings x
                 WHERE x.school_id = e.school_id AND x.entry_id = e.id
                 EXCEPT ALL SELECT x.debit_account_id, x.credit_account_id, x.amount, x.pupil_id, x.bill_id
                 FROM postings x WHERE x.school_id = e.school_id AND x.entry_id = e.reverses_id))""",
            *PERIOD_QUERIES,
        ),
    ),
    "I3": Invariant(
        "Mỗi giao dịch ngân hàng được ghi sổ đúng một lần, đúng số tiền",
        "SELECT count(*) FROM transfers",
        (
            """SELECT format('transfer %s (%s %s) is posted as %s', t.id, t.direction, t.amount, posted.amounts)
            FROM transfers t LEFT JOIN LATERAL (
                SELECT array_agg(x.amount) AS amounts FROM journal_entries e
                JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
                WHERE e.school_id = t.school_id AND e.source_id = t.id::text
                  AND e.kind = CASE t.direction WHEN 'in' THEN 'transfer_received' ELSE 'transfer_sent' END) posted
                ON true
            WHERE t.state NOT IN ('quarantined', 'duplicate') AND NOT (t.state = 'held' AND t.direction = 'out')
              AND posted.amounts IS DISTINCT FROM ARRAY[t.amount]""",
            """SELECT format('payment %s of %s is posted as %s', p.id, p.amount, posted.amount)
            FROM payments p LEFT JOIN LATERAL (
                SELECT sum(x.amount) AS amount FROM journal_entries e
                JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
                WHERE e.school_id = p.school_id AND e.kind = 'payment' AND e.source_id = p.id::text) posted ON true
            WHERE posted.amount IS DISTINCT FROM p.amount""",
            """SELECT format('transfer %s is %s with %s of %s paid out', t.id, t.state, <paid of transfer>, t.amount)
            FROM transfers t WHERE (t.state IN ('matched', 'reversed')
                                    AND <paid of transfer> + <own of transfer> <> t.amount)
               OR (t.state NOT IN ('matched', 'refunding', 'refunded') AND <paid of transfer> <> 0)""",
        ),
    ),
    "I4": Invariant(
        "Số lưu sẵn = tổng các dòng: thông báo thu, đợt thu, quyển biên lai, sao kê",
        "SELECT count(*) FROM bills",
        (
            """SELECT format('bill %s: %s gross, %s due, lines say %s and %s', b.id, b.gross, b.family_due, l.gross,
                             l.share)
            FROM bills b LEFT JOIN LATERAL (
                SELECT coalesce(sum(l.gross), 0) AS gross, coalesce(sum(l.family_share), 0) AS share
                FROM bill_lines l WHERE l.school_id = b.school_id AND l.bill_id = b.id) l ON true
            WHERE l.gross <> b.gross OR l.share <> b.family_due""",
            """SELECT format('line %s: %s reduced, reductions say %s', l.id, l.gross - l.family_share, r.amount)
            FROM bill_lines l LEFT JOIN LATERAL (
                SELECT coalesce(sum(r.amount), 0) AS amount FROM bill_reductions r
                WHERE r.school_id = l.school_id AND r.line_id = l.id) r ON true
            WHERE r.amount <> l.gross - l.family_share""",
            """SELECT format('round %s: %s approved, %s billed', r.id, r.family_total, b.due)
            FROM billing_rounds r LEFT JOIN LATERAL (
                SELECT coalesce(sum(b.family_due), 0) AS due FROM bills b
                WHERE b.school_id = r.school_id AND b.round_id = r.id AND b.replaces_id IS NULL) b ON true
            WHERE r.state IN ('issued', 'locked') AND r.family_total <> b.due""",
            """SELECT format('bill %s: %s due, instalments say %s', b.id, b.family_due, i.amount) FROM bills b
            JOIN LATERAL (SELECT sum(i.amount) AS amount FROM bill_instalments i
                          WHERE i.school_id = b.school_id AND i.bill_id = b.id) i ON true
            WHERE i.amount <> b.family_due OR (b.family_due >= 500000000 AND i.amount IS NULL)""",
            """SELECT format('receipt book %s: counter at %s, last receipt %s', c.book_id, c.last_number, r.last)
            FROM receipt_counters c LEFT JOIN receipt_starts s ON s.book_id = c.book_id LEFT JOIN LATERAL (
                SELECT coalesce(max(r.number), s.last_number, 0) AS last FROM receipts r
                WHERE r.school_id = c.school_id AND r.book_id = c.book_id) r ON true
            WHERE r.last <> c.last_number""",
        ),
    ),
    "I5": Invariant(
        "Không thông báo thu nào được phân bổ quá số phải nộp; sổ cái nói cùng một số",
        "SELECT count(*) FROM bills",
        (
            """SELECT format('bill %s: %s paid and %s taken off of %s', b.id, <paid on bill>, <off the rest>,
                             b.family_due)
            FROM bills b WHERE <paid on bill> + <off the rest> > b.family_due""",
            """SELECT format('line %s: %s taken off of %s', l.id, c.amount, l.family_share) FROM bill_lines l
            JOIN LATERAL (SELECT sum(c.off_rest + c.to_credit) AS amount FROM bill_credits c
                          WHERE c.school_id = l.school_id AND c.line_id = l.id) c ON true
            WHERE c.amount > l.family_share""",
            """SELECT format('bill %s is void and holds %s', b.id, <paid on bill>) FROM bills b
            JOIN bill_voids v ON v.bill_id = b.id WHERE <paid on bill> <> 0""",
            """SELECT format('bill %s: %s still due, the book says %s', b.id, due.rest, coalesce(book.debit, 0))
            FROM bills b
            JOIN LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM bill_voids v WHERE v.bill_id = b.id) THEN 0
                                      ELSE b.family_due - <off the rest> - <paid on bill> END AS rest) due ON true
            LEFT JOIN (
                SELECT x.bill_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) AS debit
                FROM postings x JOIN ledger_accounts l
                  ON l.code = '131' AND l.id IN (x.debit_account_id, x.credit_account_id)
                GROUP BY x.bill_id) book ON book.bill_id = b.id
            WHERE due.rest <> coalesce(book.debit, 0)""",
        ),
    ),
    "I6": Invariant(
        "Mỗi khoản tiền nhận được có đúng một biên lai; số biên lai liền nhau, không thiếu, không trùng",
        "SELECT count(*) FROM receipts",
        (
            *PAPER_QUERIES,
            """SELECT format('receipt %s has no payment of its amount', r.id) FROM receipts r
            WHERE NOT EXISTS (SELECT FROM payments p WHERE p.id = r.payment_id AND p.amount = r.amount
                              AND p.school_id = r.school_id)""",
            """SELECT format('payment %s has %s receipts', r.payment_id, count(*)) FROM receipts r
            GROUP BY r.payment_id HAVING count(*) > 1""",
            """SELECT format('receipt %s: void and payment reversed do not go together', r.id) FROM receipts r
            WHERE EXISTS (SELECT FROM receipt_voids v WHERE v.receipt_id = r.id)
               <> EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = r.payment_id)""",
            """SELECT format('receipt book %s: %s receipts numbered %s to %s', r.book_id, count(*), min(r.number),
                             max(r.number))
            FROM receipts r LEFT JOIN receipt_starts s ON s.book_id = r.book_id GROUP BY r.book_id, s.last_number
            HAVING count(*) <> max(r.number) - coalesce(s.last_number, 0)
                OR min(r.number) <> coalesce(s.last_number, 0) + 1 OR count(DISTINCT r.number) <> count(*)""",
        ),
    ),
    "I7": Invariant(
        "Từng giao dịch: đã phân bổ + tiền nộp thừa + chờ xử lý + hoàn trả = số tiền",
        "SELECT count(*) FROM transfers",
        (
            """SELECT format('transfer %s of %s: %s paid out', t.id, t.amount, <paid of transfer>) FROM transfers t
            WHERE <paid of transfer> > t.amount""",
            """SELECT format('payment %s of %s: %s allocated', p.id, p.amount, a.amount) FROM payments p
            JOIN LATERAL <allocated> a ON true
            WHERE a.amount > p.amount""",
            """SELECT format('payment %s: %s is credit, the book says %s', p.id, p.amount - a.amount,
                             coalesce(book.credit, 0))
            FROM payments p
            JOIN LATERAL <allocated> a ON true
            LEFT JOIN LATERAL (
                SELECT sum(x.amount) AS credit FROM journal_entries e
                JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
                JOIN ledger_accounts l ON l.id = x.credit_account_id AND l.kind = 'credit'
                WHERE e.school_id = p.school_id AND e.kind = 'payment' AND e.source_id = p.id::text) book ON true
            WHERE p.source_kind <> 'credit' AND <live> AND p.amount - a.amount <> coalesce(book.credit, 0)""",
            *CREDIT_QUERIES,
            FORMER_AS_THE_BOOK_SAYS,
            """SELECT format('write-off %s of %s is set against its bill as %s', r.id, r.amount, p.amount)
            FROM reliefs r JOIN relief_decisions d ON d.relief_id = r.id AND d.approved
            LEFT JOIN LATERAL (
                SELECT sum(a.amount) AS amount FROM payments p
                JOIN allocations a ON a.school_id = p.school_id AND a.payment_id = p.id AND a.bill_id = r.bill_id
                WHERE p.school_id = r.school_id AND p.source_kind = 'write_off' AND p.source_id = r.id AND <live>) p
                ON true
            WHERE r.kind <> 'grace' AND coalesce(p.amount, 0) <>
                CASE WHEN EXISTS (SELECT FROM relief_ends e WHERE e.relief_id = r.id) THEN 0 ELSE r.amount END""",
            """SELECT format('payment %s has no source %s %s', p.id, p.source_kind, p.source_id) FROM payments p
            WHERE p.source_kind = 'transfer' AND NOT EXISTS (
                SELECT FROM transfers t WHERE t.id = p.source_id AND t.school_id = p.school_id
                  AND t.direction = 'in')""",
            HAS_A_CHECKOUT,
        ),
    ),
}
