"""A school's bank accounts: asked for by one, agreed to by another, in force after a wait; the old one lives on."""
