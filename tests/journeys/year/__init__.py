"""A school year of three schools, played from a seed on the real rules and reckoned again beside them."""
