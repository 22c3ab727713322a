"""Tests of the benchmarks that decide something: their peers and their scores must be right."""
