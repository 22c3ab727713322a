"""Settling under any order, many hands at once and sudden ends: the totals tie out in every read."""
