"""Tests of a school's bank accounts."""
