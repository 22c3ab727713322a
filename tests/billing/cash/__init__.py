"""Tests of cash."""
