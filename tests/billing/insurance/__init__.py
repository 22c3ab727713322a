"""Tests of what the insurer is told and given."""
