"""Every speed claim, measured beside its limit and its peers in one run."""
