"""Which money paid which bill, and the proof of it."""
