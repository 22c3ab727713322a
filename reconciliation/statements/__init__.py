"""Statement files of banks, read into transfers."""
