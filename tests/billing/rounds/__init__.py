"""Tests of billing rounds: draft, preview, approval, issue."""
