"""Whole journeys, as a person would go."""
