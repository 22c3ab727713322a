"""The running programs. Only this package reads settings, opens the database or commits."""
