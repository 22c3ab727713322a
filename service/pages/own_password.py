"""Asking for the password again before a deed that must not be done from a screen left open."""

from __future__ import annotations

from fastapi import Request

from service.access import limits, passwords
from service.access.errors import WrongCredentials
from service.pages.desk import Desk
from service.pages.guards import Visit, address_of, parts_of


def refuse_stranger(request: Request, visit: Visit, desk: Desk, password: str, nothing_done: str) -> None:
    """Raise ``WrongCredentials`` (with what was not done) for another password, ``TooManyTries`` after five."""
    here, limiter = limits.login_at(visit.who.login, address_of(request)), parts_of(request).limiter
    limiter.spend(limits.LOGIN_BY_ACCOUNT, here)
    account = desk.account(visit.who.login)
    if account is None or not passwords.check_password(account.password_hash, password).ok:
        raise WrongCredentials(f"Mật khẩu không đúng. {nothing_done}")
    limiter.forget(limits.LOGIN_BY_ACCOUNT, here)
