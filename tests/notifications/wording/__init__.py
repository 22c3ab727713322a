"""Tests of what families read."""
