"""Authorities, schools, classes, pupils, guardians and their contacts."""
