"""Tests of contracts of private schools."""
