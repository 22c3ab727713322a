"""Billing rounds: draft, preview, approve, issue."""
