"""Tests of the bank feeds."""
