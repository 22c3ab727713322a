"""PostgreSQL and Valkey on one machine, kept by our own guard; the door is `service.embedded`."""
