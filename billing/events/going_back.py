"""Who took a payment back, in the words of the event *payment_taken_back*: its fact ``by`` (pure)."""

BY_BANK = "bank"
"""The bank took back what it had told of; also where an event says nothing."""
BY_CARD_REFUND = "card_refund"
"""The school gave it back to the card."""
BY_CARD_DISPUTE = "card_dispute"
"""The card's bank took it back, since the cardholder did not agree."""
