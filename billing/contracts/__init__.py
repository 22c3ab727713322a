"""Contracts of private schools: place deposits, prepaid terms, withdrawal and late charges, as a version agreed to."""
