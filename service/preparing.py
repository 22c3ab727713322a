"""``db prepare``: roles, then migrations. Run with the owner's address, again and again without harm."""

from __future__ import annotations

import hashlib
import hmac
import io
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy.engine import make_url

from billing.errors import Refused
from service.database import libpq_url

ROOT = Path(__file__).resolve().parent.parent
OWNER_ROLE = "hocphi_owner"
APP_ROLE = "hocphi_app"
DOOR_ROLE = "hocphi_door"
SEALER_ROLE = "hocphi_sealer"
GROUP_ROLES = (APP_ROLE, DOOR_ROLE, SEALER_ROLE, "hocphi_report")
OLDEST_SERVER = 150000
_TRIES = 20
_PAUSE_SECONDS = 0.2
_LOCK = 7_226_101  # an advisory lock: two starts at once prepare one after the other


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the database is, for each of our roles."""

    owner: str
    app: str
    door: str
    sealer: str


def role_password(secret: bytes, role: str) -> str:
    """Return the password of a role that we make ourselves, derived from our secret (64 hex digits)."""
    return hmac.new(secret, f"database role {role}".encode(), hashlib.sha256).hexdigest()


def role_url(owner_url: str, role: str, secret: bytes) -> str:
    """Return the owner's address with another role and its derived password."""
    url = make_url(owner_url).set(username=role, password=role_password(secret, role))
    return url.render_as_string(hide_password=False)


def prepare(addresses: Addresses) -> None:
    """Make roles and bring the tables to the newest shape. Idempotent and safe to run twice at once."""
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        if connection.info.server_version < OLDEST_SERVER:
            raise Refused("Cần PostgreSQL từ bản 15 trở lên")
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        _in_spite_of_others(lambda: _make_roles(connection, addresses))
        migrate(addresses.owner)


def _in_spite_of_others(act: Callable[[], None]) -> None:
    """Repeat an act on roles that another database's preparation disturbed: our lock ends at the database."""
    for last_try in (*[False] * (_TRIES - 1), True):
        try:
            act()
        except psycopg.errors.InternalError_ as error:
            if last_try or "tuple concurrently" not in str(error):
                raise
            time.sleep(_PAUSE_SECONDS * random.random())  # noqa: S311  to part the two, not to hide anything
        else:
            return


def _make_roles(connection: psycopg.Connection, addresses: Addresses) -> None:
    for role in (OWNER_ROLE, *GROUP_ROLES):
        _make_role(connection, role)
    _make_login(connection, addresses.app, APP_ROLE)
    _make_login(connection, addresses.door, DOOR_ROLE)
    _make_login(connection, addresses.sealer, SEALER_ROLE)
    if _is_superuser(connection):
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(OWNER_ROLE)))
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(sql.Identifier(OWNER_ROLE)))


def _make_role(connection: psycopg.Connection, role: str) -> None:
    if _role_exists(connection, role):
        return
    try:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOBYPASSRLS").format(sql.Identifier(role)))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return  # roles belong to the whole server: another database's preparation was faster


def _make_login(connection: psycopg.Connection, address: str, group: str) -> None:
    """Let the role of an address log in with the address's password, as a member of the group."""
    url = make_url(address)
    if not url.username or not url.password:
        raise Refused(f"Địa chỉ cơ sở dữ liệu của {group} thiếu tên hoặc mật khẩu")
    name = sql.Identifier(url.username)
    _make_role(connection, url.username)
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOCREATEDB NOCREATEROLE PASSWORD {}").format(name, sql.Literal(url.password)),
    )
    if url.username != group:
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), name))


def _role_exists(connection: psycopg.Connection, role: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def alembic_config(owner_url: str) -> Config:
    """Return Alembic's configuration for one database."""
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.attributes["owner_url"] = owner_url
    return config


def migrate(owner_url: str) -> None:
    """Bring the tables to the newest shape."""
    command.upgrade(alembic_config(owner_url), "head")


def check_shape(owner_url: str) -> None:
    """Raise ``alembic.util.CommandError`` if the tables differ from the code."""
    config = alembic_config(owner_url)
    config.stdout = io.StringIO()  # its good word is for people who call Alembic themselves; a difference is raised
    command.check(config)


class OtherShape(RuntimeError):  # noqa: N818  named sentences read better than a row of "…Error"
    """A local database was left by a version whose migrations ours do not continue."""


def prepare_local(addresses: Addresses) -> None:
    """Prepare a database of this machine; raises ``OtherShape`` when it cannot be brought to the newest shape.

    A version under development may have given its migrations another order. What it left carries marks that we know
    and yet lacks tables, or marks that we do not know: both would only show later, in the middle of the work.
    """
    try:
        prepare(addresses)
        check_shape(addresses.owner)
    except CommandError as error:
        raise OtherShape(
            "Dữ liệu trong máy là của một phiên bản khác, không nâng cấp tiếp được. Nếu đó là dữ liệu chạy thử: "
            f"chạy make clean-data rồi thử lại; nếu cần giữ: mở bằng phiên bản đã tạo ra nó. ({error})"
        ) from error
