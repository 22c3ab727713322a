"""Tests of the new school year."""
