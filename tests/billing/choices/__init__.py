"""Tests of what families choose themselves."""
