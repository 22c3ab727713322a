"""What the database itself must refuse, listed once; the migrations carry it out, a test compares the two."""

from __future__ import annotations

# Tables without a school policy, each with the reason. A test fails for any other table without one.
WITHOUT_SCHOOL_POLICY = {
    "authorities": "the tree above the schools is public",
    "fee_caps": "a council's resolution is public law",
    "council_rates": "as fee_caps",
    "users": "decides the scope, so it cannot depend on it; one person may serve several schools",
    "role_grants": "as users",
    "staff_sessions": "as users; token hashes only",
    "access_events": "as users; log-ins happen before a school is known",
    "link_tokens": "a parent's link leads to its school; token hashes only",
    "api_tokens": "as staff_sessions; a program's token leads to its person and school",
    "guardian_sessions": "as staff_sessions; a guardian may have children in two schools",
    "registration_links": "as link_tokens",
    "reference_registry": "a reference in a memo leads to its school",
    "pupil_codes": "a new school finds the child by its sector code; holds no name",
    "inbox": "the door knows only the feed; bodies are sealed",
    "inbox_results": "as inbox; holds no content",
    "province_heads": "digests over all schools of a province",
    "jobs": "the sweeper looks for work of all schools; holds ids only",
    "provider_tokens": "one Zalo account for the whole service; sealed",
    "alembic_version": "the number of the newest migration",
}

# Tables whose policy is not the plain "school_id is in scope".
OWN_POLICY = {
    "schools": "its id is the school",
    "pupils": "seen through an enrolment, by the school that entered the child, or by a guardian",
    "guardians": "seen through a child that is seen, or by herself",
    "guardianships": "as guardians",
    "contacts": "as guardians",
}

# Tables on which further policies narrow who may write what he sees; elsewhere ``in_scope`` says it all.
NARROWED = {
    "pupils": ("in_hand_to_update",),
    "guardians": ("in_hand_to_update",),
    "guardianships": ("in_hand_to_insert", "in_hand_to_update"),
    "contacts": ("in_hand_to_insert", "in_hand_to_update"),
}

# Rows of these are written once: no UPDATE, DELETE or TRUNCATE, whoever asks.
WRITTEN_ONCE = (
    "allocations",
    "attendance_months",
    "audit_entries",
    "audit_seals",
    "access_events",
    "bill_credits",
    "bill_instalments",
    "bill_lines",
    "bill_reductions",
    "bill_voids",
    "bills",
    "closed_periods",
    "collection_plans",
    "consents",
    "correction_decisions",
    "corrections",
    "credit_uses",
    "daily_checks",
    "daily_heads",
    "events",
    "inbox",
    "inbox_results",
    "journal_entries",
    "matches",
    "message_attempts",
    "notice_plans",
    "payment_request_bills",
    "payment_reversals",
    "payments",
    "payouts",
    "plan_items",
    "plan_papers",
    "plan_steps",
    "postings",
    "province_heads",
    "pupil_codes",
    "receipt_books",
    "receipt_voids",
    "receipts",
    "reference_registry",
    "refund_decisions",
    "refund_lines",
    "refund_steps",
    "refunds",
    "registration_decisions",
    "seals",
    "state_claim_lines",
    "state_payments",
    "statement_files",
    "transfer_references",
    "transfer_steps",
)
