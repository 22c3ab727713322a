"""One file for each bank or gateway that tells us about money."""
