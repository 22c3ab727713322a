"""Take in callbacks: the web as it is started, beside bare inserts and a plain route."""
