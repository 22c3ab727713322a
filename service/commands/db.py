"""``db prepare``: roles and migrations. ``db check``: whether migrations give the shape the code expects."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace

import psycopg
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy.engine import make_url

from billing.errors import Refused
from service.commands.answers import YES, no, unusable
from service.database import libpq_url
from service.embedded import Servers, ServersFailed
from service.preparing import Addresses, check_shape, prepare
from service.running import make_database, open_wiring
from service.settings import Settings, read_settings
from service.wiring import addresses_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two acts."""
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("prepare", help="tạo vai trò và nâng cấp bảng (cần DATABASE_OWNER_URL, hoặc máy chủ kèm theo)")
    acts.add_parser("check", help="so mã nguồn với các bước nâng cấp, trên một cơ sở dữ liệu tạm")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 1 when the shape differs or the server cannot be used."""
    settings = read_settings()
    try:
        return _prepare(settings) if arguments.act == "prepare" else _check(settings)
    except (ServersFailed, Refused, psycopg.Error) as error:
        return no(str(error))


def _prepare(settings: Settings) -> int:
    if not settings.database_url:
        with open_wiring(settings, ring=False):
            pass
    elif not settings.database_owner_url:
        return unusable("db prepare cần DATABASE_OWNER_URL")
    else:
        addresses = addresses_from(settings)
        make_database(addresses.owner)
        prepare(addresses)
    print("ok")
    return YES


def _check(settings: Settings) -> int:
    with _owner_url(settings) as owner, _throw_away(owner, settings) as addresses:
        prepare(addresses)
        try:
            check_shape(addresses.owner)
        except CommandError as error:
            return no(str(error))
    print("ok")
    return YES


@contextlib.contextmanager
def _owner_url(settings: Settings) -> Iterator[str]:
    if settings.database_owner_url:
        yield settings.database_owner_url
    else:
        with Servers.start(settings.state, valkey=False) as servers:
            yield servers.superuser_url


@contextlib.contextmanager
def _throw_away(owner_url: str, settings: Settings) -> Iterator[Addresses]:
    """Yield the addresses of a new database that is dropped afterwards."""
    name = f"hocphi_check_{os.getpid()}_{secrets.token_hex(4)}"
    usual = addresses_from(settings, owner_url)
    with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield replace(
                usual,
                **{role: _in(name, getattr(usual, role)) for role in usual.__dataclass_fields__},
            )
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _in(database: str, url: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
