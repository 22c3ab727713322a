-- What is done to the rows of a sound school with the guards switched off, one violation after the other.
-- "@ I4 words" names the invariant that must break; the last statement returns the id that must be named.

@ I1 transfer lost
DELETE FROM transfers WHERE direction = 'in'
RETURNING bank_account_id

@ I1 suspense grows
INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount)
SELECT school_id, entry_id, credit_account_id, debit_account_id, 7 FROM postings x
WHERE credit_account_id = (SELECT id FROM ledger_accounts WHERE code = '3388S') LIMIT 1
RETURNING school_id

@ I2 empty entry
DELETE FROM postings WHERE entry_id = (SELECT min(id) FROM journal_entries)
RETURNING entry_id

@ I2 account of another school
UPDATE postings SET debit_account_id = 987654
RETURNING id

@ I2 half a reversal
INSERT INTO journal_entries (school_id, kind, source_id, value_date, recorded_at, reverses_id, note)
SELECT school_id, 'undo', 'x', value_date, recorded_at, id, '' FROM journal_entries LIMIT 1
RETURNING id

@ I3 posted twice
INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount)
SELECT x.school_id, x.entry_id, x.debit_account_id, x.credit_account_id, x.amount
FROM postings x JOIN journal_entries e ON e.id = x.entry_id AND e.kind = 'transfer_received' LIMIT 1
RETURNING (SELECT source_id FROM journal_entries e WHERE e.id = entry_id)

@ I3 matched without payment
UPDATE transfers SET state = 'matched' WHERE state = 'waiting'
RETURNING id

@ I3 payment not posted
UPDATE journal_entries SET source_id = 'lost' WHERE kind = 'payment' AND source_id = (SELECT id FROM payments ORDER BY id LIMIT 1)::text
RETURNING (SELECT id FROM payments ORDER BY id LIMIT 1)

@ I4 bill and lines
UPDATE bill_lines SET unit_price = unit_price + 1, gross = gross + quantity, family_share = family_share + quantity
WHERE id = (SELECT min(id) FROM bill_lines)
RETURNING bill_id

@ I4 reduction lost
DELETE FROM bill_reductions
RETURNING line_id

@ I4 round total
UPDATE billing_rounds SET family_total = family_total - 1
RETURNING id

@ I4 counter
UPDATE receipt_counters SET last_number = last_number + 1
RETURNING book_id

@ I5 too much
UPDATE allocations SET amount = amount + 1 WHERE bill_id = (SELECT bill_id FROM allocations ORDER BY id LIMIT 1)
RETURNING bill_id

@ I4 instalments
INSERT INTO bill_instalments (school_id, bill_id, number, amount, due_on)
SELECT school_id, id, 1, family_due - 1, due_on FROM bills WHERE family_due > 1 LIMIT 1
RETURNING bill_id

@ I5 lowered by more than the line
INSERT INTO bill_credits (school_id, correction_id, bill_id, line_id, off_rest, to_credit, off_state, reason, made_by, approved_by, at)
SELECT school_id, gen_random_uuid(), bill_id, id, 0, family_share + 1, 0, 'x', gen_random_uuid(), gen_random_uuid(), now()
FROM bill_lines ORDER BY id LIMIT 1
RETURNING line_id

@ I5 lowered and not in the book
INSERT INTO bill_credits (school_id, correction_id, bill_id, line_id, off_rest, to_credit, off_state, reason, made_by, approved_by, at)
SELECT l.school_id, gen_random_uuid(), bill_id, l.id, 1, 0, 0, 'x', gen_random_uuid(), gen_random_uuid(), now()
FROM bill_lines l WHERE l.family_share > 0 AND NOT EXISTS (SELECT FROM allocations a WHERE a.bill_id = l.bill_id)
ORDER BY id LIMIT 1
RETURNING bill_id

@ I5 void bill with money
INSERT INTO bill_voids (bill_id, school_id, reason, made_by, approved_by, at)
SELECT id, school_id, 'x', gen_random_uuid(), gen_random_uuid(), now() FROM bills
WHERE id = (SELECT bill_id FROM allocations ORDER BY id LIMIT 1)
RETURNING bill_id

@ I5 book says otherwise
UPDATE postings SET amount = amount + 1 WHERE bill_id = (SELECT bill_id FROM allocations ORDER BY id LIMIT 1) AND debit_account_id = (SELECT id FROM ledger_accounts WHERE code = '131')
RETURNING bill_id

@ I6 no receipt
DELETE FROM receipts WHERE number = 2
RETURNING payment_id

@ I6 gap
UPDATE receipts SET number = 40 WHERE number = 3
RETURNING book_id

@ I6 other amount
UPDATE receipts SET amount = amount + 1 WHERE number = 1
RETURNING id

@ I6 void but live
INSERT INTO receipt_voids (receipt_id, school_id, reason, at)
SELECT id, school_id, 'x', now() FROM receipts WHERE number = 1
RETURNING receipt_id

@ I6 two receipts
ALTER TABLE receipts DROP CONSTRAINT uq_receipts_school_id_payment_id;
INSERT INTO receipts (id, school_id, book_id, number, payment_id, amount, issued_at)
SELECT gen_random_uuid(), school_id, book_id, 4, payment_id, amount, now() FROM receipts WHERE number = 1
RETURNING payment_id

@ I7 more than came
UPDATE payments SET amount = amount + 1
WHERE id = (SELECT id FROM payments ORDER BY id LIMIT 1)
RETURNING source_id

@ I7 allocated more than received
UPDATE allocations SET amount = amount + 1 WHERE payment_id = (SELECT id FROM payments ORDER BY id LIMIT 1)
RETURNING payment_id

@ I7 credit that is not in the book
INSERT INTO bill_credits (school_id, correction_id, bill_id, line_id, off_rest, to_credit, off_state, reason, made_by, approved_by, at)
SELECT school_id, gen_random_uuid(), bill_id, id, 0, 1, 0, 'x', gen_random_uuid(), gen_random_uuid(), now()
FROM bill_lines WHERE family_share > 0 ORDER BY id LIMIT 1
RETURNING (SELECT pupil_id FROM bills b WHERE b.id = bill_id)

@ I7 no source
UPDATE payments SET source_id = gen_random_uuid()
WHERE id = (SELECT id FROM payments ORDER BY id LIMIT 1)
RETURNING id

@ I7 taken over and not in the book
INSERT INTO former_balances (school_id, import_id, program, pupil_id, kind, item_code, amount)
SELECT school_id, gen_random_uuid(), 'cu', pupil_id, 'due', 'TIENAN', 5 FROM bills LIMIT 1
RETURNING pupil_id

@ I8 waits
UPDATE inbox SET received_at = received_at - interval '1 hour';
DELETE FROM inbox_results WHERE inbox_id = (SELECT min(id) FROM inbox)
RETURNING inbox_id

@ I8 changed
UPDATE inbox SET digest = 'x'
WHERE id = (SELECT max(id) FROM inbox)
RETURNING id

@ I8 unreadable
UPDATE inbox SET body_sealed = 'x'
WHERE id = (SELECT max(id) FROM inbox)
RETURNING id

@ I8 transfers lost
UPDATE inbox_results SET transfers = 9 WHERE inbox_id = (SELECT min(inbox_id) FROM inbox_results)
RETURNING inbox_id

@ I8 never settled
UPDATE transfers SET state = 'new', recorded_at = recorded_at - interval '1 hour' WHERE state = 'waiting'
RETURNING id

@ I11 told twice
INSERT INTO message_attempts (school_id, message_id, outcome, provider_code, provider_text, at)
SELECT school_id, id, 'accepted', '', '', now() FROM (SELECT * FROM messages LIMIT 1) m, generate_series(1, 2)
RETURNING message_id

@ I11 accepted by nobody
UPDATE messages SET state = 'accepted'
RETURNING id

@ I11 message lost
DELETE FROM messages WHERE fallback_of IS NULL
RETURNING event_id

@ I11 letter to staff lost
DELETE FROM staff_messages
RETURNING event_id

@ I11 one guardian twice
ALTER TABLE messages DROP CONSTRAINT uq_messages_school_id_event_id_guardian_id_channel;
UPDATE messages SET event_id = (SELECT min(event_id) FROM messages),
guardian_id = (SELECT guardian_id FROM messages ORDER BY event_id LIMIT 1)
RETURNING (SELECT min(event_id) FROM messages)

@ I12 entry edited
UPDATE journal_entries SET note = 'x'
WHERE id = (SELECT min(id) FROM journal_entries)
RETURNING id

@ I12 posting edited
UPDATE postings SET amount = amount + 1
WHERE id = (SELECT min(id) FROM postings)
RETURNING entry_id

@ I12 entry removed
DELETE FROM journal_entries
WHERE id = (SELECT entry_id FROM seals WHERE chain_seq = 2)
RETURNING 'seal 2 is missing'

@ I12 seal forged
UPDATE seals SET previous = 'x' WHERE chain_seq = 3
RETURNING 'seal 3 does not follow'

@ I12 deed edited
UPDATE audit_entries SET reason = 'x'
WHERE id = (SELECT min(id) FROM audit_entries)
RETURNING id

@ I12 details edited
UPDATE audit_details SET details = '{}' WHERE audit_id = (SELECT min(audit_id) FROM audit_details)
RETURNING audit_id

@ I12 unsealed
DELETE FROM seals WHERE entry_id = (SELECT min(id) FROM journal_entries)
RETURNING entry_id

@ I12 head of another chain
INSERT INTO daily_heads (school_id, day, chain_seq, digest, signature, signed_at)
SELECT school_id, '2025-10-06', 1, 'x', 'x', now() FROM seals LIMIT 1
RETURNING 'the head of 2025-10-06 is no link'

@ I13 issued silently
DELETE FROM audit_entries WHERE action = 'round.issue'
RETURNING object_id

@ I13 reversed silently
INSERT INTO payment_reversals (payment_id, school_id, entry_id, reason, at)
SELECT id, school_id, 1, 'x', now() FROM payments LIMIT 1
RETURNING payment_id

@ I13 lowered silently
INSERT INTO bill_credits (school_id, correction_id, bill_id, line_id, off_rest, to_credit, off_state, reason, made_by, approved_by, at)
SELECT school_id, gen_random_uuid(), bill_id, id, 0, 1, 0, 'x', gen_random_uuid(), gen_random_uuid(), now()
FROM bill_lines WHERE family_share > 0 ORDER BY id LIMIT 1
RETURNING correction_id

@ I14 alone
ALTER TABLE billing_rounds DROP CONSTRAINT ck_billing_rounds_two_people;
UPDATE billing_rounds SET approved_by = made_by
RETURNING id

@ I15 bill of another school
UPDATE bills SET school_id = gen_random_uuid()
WHERE id = (SELECT bill_id FROM allocations ORDER BY id LIMIT 1)
RETURNING (SELECT id FROM allocations WHERE bill_id = (SELECT bill_id FROM allocations ORDER BY id LIMIT 1) LIMIT 1)

@ I15 reference of another school
UPDATE reference_registry SET school_id = gen_random_uuid()
RETURNING reference

@ I15 another pupil
UPDATE payments SET pupil_id = gen_random_uuid()
WHERE id = (SELECT id FROM payments ORDER BY id LIMIT 1)
RETURNING (SELECT a.id FROM allocations a WHERE a.payment_id = (SELECT id FROM payments ORDER BY id LIMIT 1) LIMIT 1)

@ I15 bill asked of another
UPDATE payment_requests SET pupil_id = gen_random_uuid()
RETURNING id

@ I16 lines and totals
INSERT INTO statement_files (id, school_id, bank_account_id, inbox_id, first_day, last_day, opening,
money_in, money_out, closing, read_at)
SELECT gen_random_uuid(), school_id, bank_account_id, inbox_id, '2025-09-01', '2025-09-02', 0, 5, 0, 5, now()
FROM transfers LIMIT 1
RETURNING id

@ I16 bank is not book
UPDATE transfers SET amount = amount + 1
RETURNING bank_account_id

@ I1 goes back without a refund
UPDATE transfers SET state = 'refunding' WHERE state = 'waiting'
RETURNING id
