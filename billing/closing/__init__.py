"""Closing a school's months: asked by one person, agreed to by another, and opened again by two."""
