"""What money out was for: paid into the Treasury, passed on, bought, given back, a fee of the bank; else unknown."""
