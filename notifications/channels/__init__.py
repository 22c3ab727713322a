"""One file for each way to reach a family."""
