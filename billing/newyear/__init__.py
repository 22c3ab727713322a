"""A new school year: prices carried on, pupils promoted, balances signed, a former program's data taken over."""
