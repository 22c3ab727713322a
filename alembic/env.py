"""Runs migrations as the owner of the tables; never as the application's role."""

import os

from alembic import context
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.types import TypeDecorator

from service.database import metadata, psycopg_url

OWNER_ROLE = "hocphi_owner"


def render_item(type_, obj, autogen_context):  # noqa: ANN001, ANN201, ARG001  the signature is Alembic's
    """Write a custom column as the plain type below it, so that migrations import none of our code."""
    if type_ == "type" and isinstance(obj, TypeDecorator):
        return f"sa.{obj.impl!r}"
    return False


def run() -> None:
    """Run against the owner's address, handed over by ``service.preparing`` or the environment."""
    url = context.config.attributes.get("owner_url") or os.environ["DATABASE_OWNER_URL"]
    engine = create_engine(psycopg_url(url), poolclass=NullPool)  # nothing stays open, however this ends
    with engine.connect() as connection:
        # A superuser only lends its key: the tables belong to a role that is none.
        if connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar():
            connection.execute(text(f"SET ROLE {OWNER_ROLE}"))
        connection.commit()  # Alembic leaves a transaction that it did not begin to its beginner, to be rolled back
        context.configure(
            connection=connection,
            target_metadata=metadata(),
            render_item=render_item,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
