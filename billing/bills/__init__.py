"""Bills and their lines, written once."""
