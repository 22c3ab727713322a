"""What happened, appended in the same transaction as the thing itself."""
