"""Tests of the people's queue."""
