"""What families owe and what they have paid."""
