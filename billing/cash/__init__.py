"""Cash: takings, their reversal by two people, paper books, counts of the till, deposits to the bank, hand-overs."""
