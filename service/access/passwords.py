"""Staff passwords: Argon2id hashes that are renewed when the parameters rise, never more than four at once."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from service.access.errors import Busy, WeakPassword

# OWASP's floor for Argon2id: 19 MiB, two passes, one lane.
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
AT_ONCE = 4
WAIT_SECONDS = 5.0

MIN_LENGTH = 12
MAX_LENGTH = 128
_MIN_DIFFERENT = 5

_slots = threading.BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
# Checked when there is no such login, so that known and unknown logins take the same time.
_NOBODY = _hasher.hash("no account has this password")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check; ``new_hash`` is set when the stored hash should be replaced."""

    ok: bool
    new_hash: str | None = None


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password in its standard text form; raises ``Busy``."""
    with _slot():
        return _hasher.hash(_canonical(password))


def check_password(stored: str | None, password: str) -> Verdict:
    """Compare a password with a stored hash; without one, take the same time and say no.

    Raises ``Busy`` when four other checks hold the memory for longer than five seconds.
    """
    if len(password) > MAX_LENGTH:
        return Verdict(ok=False)
    text = _canonical(password)
    with _slot():
        try:
            _hasher.verify(stored or _NOBODY, text)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return Verdict(ok=False)
        if stored is None:
            return Verdict(ok=False)
        renewed = _hasher.hash(text) if _hasher.check_needs_rehash(stored) else None
    return Verdict(ok=True, new_hash=renewed)


def refuse_weak(password: str, login: str) -> None:
    """Raise ``WeakPassword`` for a new password that is short, endless, monotonous or the login itself.

    There are no rules on kinds of characters: length is what helps.
    """
    text = _canonical(password)
    if len(text) < MIN_LENGTH:
        raise WeakPassword(f"Mật khẩu cần ít nhất {MIN_LENGTH} ký tự. Một câu ngắn dễ nhớ là tốt nhất.")
    if len(text) > MAX_LENGTH:
        raise WeakPassword(f"Mật khẩu dài nhất {MAX_LENGTH} ký tự.")
    if len(set(text.casefold())) < _MIN_DIFFERENT:
        raise WeakPassword("Mật khẩu lặp lại quá ít ký tự khác nhau. Xin chọn mật khẩu khác.")
    if login and login.casefold() in text.casefold():
        raise WeakPassword("Mật khẩu không được chứa tên đăng nhập. Xin chọn mật khẩu khác.")


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _slots.release()


def _canonical(password: str) -> str:
    """Return NFC: the same Vietnamese letters typed on two phones are one password."""
    return unicodedata.normalize("NFC", password)
