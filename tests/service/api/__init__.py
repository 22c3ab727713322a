"""Tests of the API over HTTP, on real rows."""
