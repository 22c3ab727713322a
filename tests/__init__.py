"""The tests: the same four folders again, plus whole journeys."""
