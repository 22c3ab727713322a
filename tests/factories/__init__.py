"""Small makers of invented rows, by subject."""
