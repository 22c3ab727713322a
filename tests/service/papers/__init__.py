"""Tests of the jobs: what the workers run."""
