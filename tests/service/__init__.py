"""Tests of the running programs."""
