"""Matching the long way: the same rules spelled out without any short way, to hold the matcher against."""
