"""Tests of reconciliation/outgoing."""
