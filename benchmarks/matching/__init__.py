"""How fast transfers are matched and settled, beside the bare work of each."""
