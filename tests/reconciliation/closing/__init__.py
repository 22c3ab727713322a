"""Tests of what a month leaves unfinished."""
