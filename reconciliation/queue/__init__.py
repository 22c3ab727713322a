"""The people's queue: what a person decides about money that waits, by acts that are rows (docs/decisions/0027)."""
