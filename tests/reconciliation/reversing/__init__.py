"""Tests of reconciliation/reversing."""
