"""What must always be true, as SQL over all schools: every row that a query returns is one violation, in words.

``:now`` is our clock. Queries name the row that is wrong, never a person. A violation found here means that the
database's own guards were passed by (a superuser, a restored backup, a bug in a trigger).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from service.card_queries import CARD_QUERIES, HAS_A_CHECKOUT
from service.cash_queries import CASH_BY_TWO, CASH_DEEDS, CASH_QUERIES, OWN_OF_TRANSFER, PAPER_QUERIES
from service.credit_queries import CREDIT_QUERIES, FORMER_AS_THE_BOOK_SAYS
from service.money_out_queries import MONEY_OUT_QUERIES
from service.refund_queries import REFUND_QUERIES

# Shorthands of the queries below. A transfer counts unless the bank took it back or we must not believe it.
_SHORT = {
    "<counted>": "t.state NOT IN ('duplicate', 'quarantined', 'reversed')",
    "<paid of transfer>": """coalesce((SELECT sum(p.amount) FROM payments p
        WHERE p.school_id = t.school_id AND p.source_kind = 'transfer' AND p.source_id = t.id AND <live>), 0)""",
    "<paid on bill>": """coalesce((SELECT sum(a.amount) FROM allocations a
        WHERE a.school_id = b.school_id AND a.bill_id = b.id
          AND NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = a.payment_id)), 0)""",
    "<off the rest>": """coalesce((SELECT sum(c.off_rest) FROM bill_credits c
        WHERE c.school_id = b.school_id AND c.bill_id = b.id), 0)""",
    "<allocated>": """(SELECT coalesce(sum(a.amount), 0) AS amount FROM allocations a
        WHERE a.school_id = p.school_id AND a.payment_id = p.id)""",
    "<own of transfer>": OWN_OF_TRANSFER,
    "<standing>": "NOT EXISTS (SELECT FROM money_out_ends e WHERE e.purpose_id = o.id)",
    "<live>": "NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = p.id)",
}


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must be true: its title, how many rows were looked at, and queries that return violations."""

    title: str
    counted: str
    queries: tuple[str, ...]


def _written_out(query: str) -> str:
    for short, meaning in _SHORT.items():
        query = query.replace(short, meaning)
    return query


_ALL: dict[str, Invariant] = {
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
                 WHERE x.entry_id = e.reverses_id
                 EXCEPT ALL SELECT x.credit_account_id, x.debit_account_id, x.amount, x.pupil_id, x.bill_id
                 FROM postings x WHERE x.entry_id = e.id)
                UNION ALL
                (SELECT x.credit_account_id, x.debit_account_id, x.amount, x.pupil_id, x.bill_id FROM postings x
                 WHERE x.entry_id = e.id
                 EXCEPT ALL SELECT x.debit_account_id, x.credit_account_id, x.amount, x.pupil_id, x.bill_id
                 FROM postings x WHERE x.entry_id = e.reverses_id))""",
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
            FROM transfers t WHERE (t.state = 'matched' AND <paid of transfer> + <own of transfer> <> t.amount)
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
            WHERE r.kind = 'write_off' AND coalesce(p.amount, 0) <>
                CASE WHEN EXISTS (SELECT FROM relief_ends e WHERE e.relief_id = r.id) THEN 0 ELSE r.amount END""",
            """SELECT format('payment %s has no source %s %s', p.id, p.source_kind, p.source_id) FROM payments p
            WHERE p.source_kind = 'transfer' AND NOT EXISTS (
                SELECT FROM transfers t WHERE t.id = p.source_id AND t.school_id = p.school_id
                  AND t.direction = 'in')""",
            HAS_A_CHECKOUT,
        ),
    ),
    "I8": Invariant(
        "Mọi tin báo đã nhận đều được xử lý trong 60 giây và còn nguyên từng byte",
        "SELECT count(*) FROM inbox",
        (
            """SELECT format('inbox %s waits since %s', i.id, i.received_at) FROM inbox i
            WHERE i.received_at < CAST(:now AS timestamptz) - interval '60 seconds'
              AND NOT EXISTS (SELECT FROM inbox_results r WHERE r.inbox_id = i.id)""",
            """SELECT format('inbox %s: %s transfers told, %s stored', r.inbox_id, r.transfers, t.stored)
            FROM inbox_results r
            JOIN LATERAL (SELECT count(*) AS stored FROM transfers t WHERE t.inbox_id = r.inbox_id) t ON true
            WHERE t.stored <> r.transfers""",
            """SELECT format('transfer %s is new since %s', t.id, t.recorded_at) FROM transfers t
            WHERE t.state = 'new' AND t.recorded_at < CAST(:now AS timestamptz) - interval '60 seconds'""",
        ),
    ),
    "I11": Invariant(
        "Mỗi biên lai, mỗi kênh: không tin nào được gửi hai lần",
        "SELECT count(*) FROM messages",
        (
            """SELECT format('message %s was accepted %s times', a.message_id, count(*)) FROM message_attempts a
            WHERE a.outcome = 'accepted' GROUP BY a.message_id HAVING count(*) > 1""",
            """SELECT format('event %s, channel %s: %s messages to one guardian', m.event_id, m.channel, count(*))
            FROM messages m GROUP BY m.school_id, m.event_id, m.guardian_id, m.channel HAVING count(*) > 1""",
            """SELECT format('message %s is %s without such an attempt', m.id, m.state) FROM messages m
            WHERE m.state = 'accepted' AND NOT EXISTS (
                SELECT FROM message_attempts a
                WHERE a.school_id = m.school_id AND a.message_id = m.id AND a.outcome = 'accepted')""",
            """SELECT format('event %s was planned for %s messages and has %s', n.event_id, n.messages, m.made)
            FROM notice_plans n
            JOIN LATERAL (SELECT count(*) AS made FROM messages m
                          WHERE m.school_id = n.school_id AND m.event_id = n.event_id) m ON true
            WHERE m.made <> n.messages""",
        ),
    ),
    "I13": Invariant(
        "Mọi thay đổi về tiền do người làm đều có dòng nhật ký",
        "SELECT count(*) FROM audit_entries",
        (
            """SELECT format('round %s was %s without a deed', r.id, d.action) FROM billing_rounds r
            CROSS JOIN (VALUES ('round.approve'), ('round.issue')) AS d (action)
            WHERE r.state IN ('issued', 'locked') AND NOT EXISTS (
                SELECT FROM audit_entries a WHERE a.school_id = r.school_id AND a.object_kind = 'billing_round'
                  AND a.object_id = r.id::text AND a.action = d.action)""",
            """SELECT format('%s %s has no deed', m.kind, m.id) FROM (
                SELECT 'bill void' AS kind, v.school_id, v.bill_id AS id FROM bill_voids v
                UNION ALL SELECT 'credit note', c.school_id, c.correction_id FROM bill_credits c
                UNION ALL SELECT 'payment reversal', v.school_id, v.payment_id FROM payment_reversals v
                UNION ALL SELECT 'refund', d.school_id, d.refund_id FROM refund_decisions d
                UNION ALL SELECT 'former program', d.school_id, d.import_id FROM former_decisions d
                UNION ALL SELECT 'opening list', s.school_id, s.opening_id FROM year_opening_signatures s
                UNION ALL SELECT 'relief', d.school_id, d.relief_id FROM relief_decisions d
                UNION ALL SELECT 'refund step', s.school_id, s.line_id FROM refund_steps s
                UNION ALL SELECT 'money out', o.school_id, o.id FROM money_out o
                UNION ALL SELECT 'money out taken back', e.school_id, e.purpose_id FROM money_out_ends e
                UNION ALL SELECT 'receipt void', v.school_id, v.receipt_id FROM receipt_voids v
                    WHERE v.made_by IS NOT NULL
                UNION ALL SELECT 'step by hand', s.school_id, s.transfer_id FROM transfer_steps s
                    WHERE s.made_by IS NOT NULL) m
            WHERE NOT EXISTS (SELECT FROM audit_entries a WHERE a.school_id = m.school_id
                              AND a.object_id = m.id::text)""",
            CASH_DEEDS,
        ),
    ),
    "I14": Invariant(
        "Người duyệt khác người lập",
        "SELECT count(*) FROM billing_rounds",
        (
            """SELECT format('%s %s: one person made and approved it', m.kind, m.id) FROM (
                SELECT 'round' AS kind, id, made_by, approved_by FROM billing_rounds
                UNION ALL SELECT 'bank account', id, made_by, approved_by FROM bank_accounts
                UNION ALL SELECT 'reduction', id, made_by, approved_by FROM reductions
                UNION ALL SELECT 'school place', id, made_by, approved_by FROM school_places
                UNION ALL SELECT 'lock', id, locked_by, unlocked_by FROM billing_rounds
                UNION ALL SELECT 'credit note', correction_id, made_by, approved_by FROM bill_credits
                UNION ALL SELECT 'bill void', bill_id, made_by, approved_by FROM bill_voids
                UNION ALL SELECT 'relief', r.id, r.made_by, d.decided_by FROM reliefs r
                    JOIN relief_decisions d ON d.relief_id = r.id AND d.approved
                UNION ALL SELECT 'act of the queue', a.id, a.made_by, d.decided_by FROM queue_acts a
                    JOIN queue_decisions d ON d.act_id = a.id AND d.verdict = 'agreed'
                UNION ALL SELECT 'role', NULL, g.granted_by, g.confirmed_by FROM role_grants g
                UNION ALL SELECT 'refund', r.id, r.made_by, d.decided_by FROM refunds r
                    JOIN refund_decisions d ON d.refund_id = r.id AND d.approved
                UNION ALL SELECT 'former program', i.id, i.made_by, d.decided_by FROM former_imports i
                    JOIN former_decisions d ON d.import_id = i.id AND d.approved
                UNION ALL SELECT 'held money', r.id, r.made_by, d.decided_by FROM transfer_releases r
                    JOIN transfer_release_decisions d ON d.release_id = r.id AND d.approved
                UNION ALL SELECT 'opening list', o.id, o.made_by, s.approved_by FROM year_openings o
                    JOIN year_opening_signatures s ON s.opening_id = o.id) m
            WHERE m.made_by = m.approved_by""",
            CASH_BY_TWO,
            """SELECT format('round %s was issued without an approver', id) FROM billing_rounds
            WHERE state IN ('issued', 'locked') AND approved_by IS NULL""",
        ),
    ),
    "I15": Invariant(
        "Thông báo thu, phân bổ, tài khoản và biên lai thuộc cùng một trường",
        "SELECT count(*) FROM allocations",
        (
            """SELECT format('%s %s points into another school', m.kind, m.id) FROM (
                SELECT 'allocation' AS kind, a.id::text AS id, a.school_id, b.school_id AS other
                    FROM allocations a JOIN bills b ON b.id = a.bill_id
                UNION ALL SELECT 'allocation', a.id::text, a.school_id, p.school_id
                    FROM allocations a JOIN payments p ON p.id = a.payment_id
                UNION ALL SELECT 'bill', b.id::text, b.school_id, a.school_id
                    FROM bills b JOIN bank_accounts a ON a.id = b.bank_account_id
                UNION ALL SELECT 'request', r.id::text, r.school_id, a.school_id
                    FROM payment_requests r JOIN bank_accounts a ON a.id = r.bank_account_id
                UNION ALL SELECT 'request', r.request_id::text, r.school_id, b.school_id
                    FROM payment_request_bills r JOIN bills b ON b.id = r.bill_id
                UNION ALL SELECT 'reference', g.reference, g.school_id, r.school_id
                    FROM reference_registry g JOIN payment_requests r ON r.id = g.request_id
                UNION ALL SELECT 'transfer', t.id::text, t.school_id, a.school_id
                    FROM transfers t JOIN bank_accounts a ON a.id = t.bank_account_id
                UNION ALL SELECT 'payment', p.id::text, p.school_id, t.school_id
                    FROM payments p JOIN transfers t ON p.source_kind = 'transfer' AND t.id = p.source_id
                UNION ALL SELECT 'receipt', r.id::text, r.school_id, p.school_id
                    FROM receipts r JOIN payments p ON p.id = r.payment_id
                UNION ALL SELECT 'receipt', r.id::text, r.school_id, b.school_id
                    FROM receipts r JOIN receipt_books b ON b.id = r.book_id) m
            WHERE m.school_id <> m.other""",
            """SELECT format('allocation %s pays the bill of another pupil', a.id) FROM allocations a
            JOIN bills b ON b.id = a.bill_id JOIN payments p ON p.id = a.payment_id
            WHERE b.pupil_id <> p.pupil_id""",
            """SELECT format('request %s asks for a bill of another pupil or account', r.id) FROM payment_requests r
            JOIN payment_request_bills l ON l.request_id = r.id JOIN bills b ON b.id = l.bill_id
            WHERE b.pupil_id <> r.pupil_id OR (b.bank_account_id <> r.bank_account_id AND NOT EXISTS (
                WITH RECURSIVE instead AS (
                    SELECT o.account_id FROM account_openings o
                    WHERE o.school_id = b.school_id AND o.replaces_id = b.bank_account_id
                    UNION SELECT o.account_id FROM account_openings o
                    JOIN instead i ON o.school_id = b.school_id AND o.replaces_id = i.account_id)
                SELECT FROM instead i WHERE i.account_id = r.bank_account_id))""",
        ),
    ),
    "I16": Invariant(
        "Sao kê khép: số dư đầu + vào − ra = số dư cuối; mọi dòng đều thành giao dịch; ngân hàng = sổ",
        "SELECT count(*) FROM statement_files",
        (
            """SELECT format('statement %s: opening %s + %s - %s is not closing %s', f.id, f.opening, f.money_in,
                             f.money_out, f.closing)
            FROM statement_files f WHERE f.opening + f.money_in - f.money_out <> f.closing""",
            """SELECT format('statement %s: lines add up to %s in and %s out', f.id, l.money_in, l.money_out)
            FROM statement_files f JOIN LATERAL (
                SELECT coalesce(sum(l.amount) FILTER (WHERE l.direction = 'in'), 0) AS money_in,
                       coalesce(sum(l.amount) FILTER (WHERE l.direction = 'out'), 0) AS money_out
                FROM statement_lines l
                WHERE l.school_id = f.school_id AND l.file_id = f.id) l ON true
            WHERE l.money_in <> f.money_in OR l.money_out <> f.money_out""",
            """SELECT format('statement line %s became no transfer of its amount', l.id) FROM statement_lines l
            LEFT JOIN transfers t ON t.id = l.transfer_id
            WHERE t.id IS NULL OR t.amount <> l.amount OR t.direction <> l.direction""",
            """SELECT format('statement %s ends at %s, %s begins at %s', f.id, f.closing, n.id, n.opening)
            FROM statement_files f JOIN statement_files n
              ON n.bank_account_id = f.bank_account_id AND n.first_day = f.last_day + 1
            WHERE n.opening <> f.closing""",
        ),
    ),
}
INVARIANTS: Mapping[str, Invariant] = MappingProxyType(
    {name: Invariant(each.title, each.counted, tuple(map(_written_out, each.queries))) for name, each in _ALL.items()},
)
