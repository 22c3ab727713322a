"""Tests of the lists that providers hand out when asked."""
