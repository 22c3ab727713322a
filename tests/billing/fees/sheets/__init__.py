"""Tests of the workbooks of fees."""
