"""Lists of movements that providers hand out when asked: what a callback did not tell is found there."""
