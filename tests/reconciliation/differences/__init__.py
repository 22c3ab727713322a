"""Tests of reconciliation/differences."""
