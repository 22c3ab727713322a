"""Tests of the accuracy run."""
