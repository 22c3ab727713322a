"""What a month leaves unfinished when it is to be closed."""
