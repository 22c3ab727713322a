"""What a school asks the State for, and what it paid out: lists by pupil and month."""
