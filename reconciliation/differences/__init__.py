"""What one feed tells of an account and another does not."""
