"""What a school keeps for a family: leftovers and overpayments, their use on bills, and refunds."""
