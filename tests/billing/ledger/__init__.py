"""Tests of the book: accounts, posting, balances, seals."""
