"""Celery tasks: open a transaction, call one function, end."""
