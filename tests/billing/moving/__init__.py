"""Tests of pupils who move."""
