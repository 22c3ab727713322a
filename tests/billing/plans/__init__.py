"""Tests of credit, its use and refunds."""
