"""Fees as workbooks that an accountant takes out, edits and brings back: prices, registrations, reductions."""
