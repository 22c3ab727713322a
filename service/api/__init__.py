"""JSON answers, one file per noun."""
