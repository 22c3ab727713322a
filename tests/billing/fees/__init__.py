"""Tests of fees: what is charged, what is capped, what is previewed."""
