"""Tests of bills: parts, credit notes, and what the database refuses."""
