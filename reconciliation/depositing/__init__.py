"""Cash that the school brought to the bank, tied to the bank's own transfer: no income, and no family's payment."""
