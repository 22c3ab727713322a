"""The double-entry book: accounts, journal entries, postings, seals."""
