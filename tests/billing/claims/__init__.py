"""Tests of what a school asks the State for."""
