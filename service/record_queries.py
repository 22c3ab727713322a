"""What must always be true of what was recorded (I8 to I16): messages, deeds, two people, schools, statements, as SQL.

Every row that a query returns is one violation, in words; ``invariant_queries`` has them all.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.cash_queries import CASH_BY_TWO, CASH_DEEDS
from service.invariant_words import Invariant
from service.period_queries import PERIOD_BY_TWO

OF_RECORDS: Mapping[str, Invariant] = {
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
            JOIN LATERAL (SELECT count(*) AS made FROM (
                SELECT event_id FROM messages f WHERE f.school_id = n.school_id AND f.event_id = n.event_id
                UNION ALL SELECT event_id FROM staff_messages s
                    WHERE s.school_id = n.school_id AND s.event_id = n.event_id) told) m ON true
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
            PERIOD_BY_TWO,
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
