"""Room of what families choose themselves: items open for registration, a yes with its evidence, the school's no."""
