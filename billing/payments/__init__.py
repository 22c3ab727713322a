"""References, payment requests, payments, allocations and receipts."""
