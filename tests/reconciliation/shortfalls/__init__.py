"""Tests of reconciliation/shortfalls."""
