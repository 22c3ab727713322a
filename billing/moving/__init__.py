"""Pupils who move: leaving a school, changing the class, finishing the last grade."""
