"""Card payments over Stripe: the client, what Stripe tells as facts, and what is made of them (decision 0028)."""
