"""Money from abroad that arrives short by the fees of banks on its way: accepted within a limit the school set."""
