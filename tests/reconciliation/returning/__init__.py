"""Tests of reconciliation/returning."""
