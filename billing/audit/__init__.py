"""Who did what, and why, appended in the same transaction as the deed."""
