"""Tests of pupils' insurance cards."""
