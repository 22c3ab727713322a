"""Where the main job plays: the programs' wiring, the web's address, the schools, and how the bank reaches us."""

from __future__ import annotations

import hashlib
import hmac
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from service.demo.schools import DemoSchool, Told
from service.settings import Settings
from service.wiring import Wiring

SCHEMES = {Told.SEPAY_HMAC: "hmac", Told.SEPAY_API_KEY: "apikey"}


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """Where and how the stand-in bank posts callbacks about one school's account."""

    url: str
    scheme: str
    secret: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a stage of the story needs. ``feeds`` is by school code; None where no callback comes."""

    wiring: Wiring
    web_url: str
    state: Path
    schools: tuple[DemoSchool, ...]
    feeds: Mapping[str, FeedAddress | None]

    def progress(self, title: str, total: int) -> tqdm[NoReturn]:
        """Return a progress bar on standard error (a context manager with ``update``)."""
        return tqdm(total=total, desc=f"{title:<34}", unit="", leave=True, file=sys.stderr, dynamic_ncols=True)


def feed_token(settings: Settings, school: DemoSchool) -> str:
    """Return the secret part of a school's callback address; a restart must know it again."""
    return _derived(settings, f"feed path {school.code}")[:43]


def feed_secret(settings: Settings, school: DemoSchool) -> str:
    """Return what the stand-in bank signs with."""
    return _derived(settings, f"feed secret {school.code}")


def feed_addresses(settings: Settings, schools: tuple[DemoSchool, ...], web_url: str) -> dict[str, FeedAddress | None]:
    """Return the callback address of every school's account."""
    return {school.code: _address(settings, school, web_url) for school in schools}


def _address(settings: Settings, school: DemoSchool, web_url: str) -> FeedAddress | None:
    scheme = SCHEMES.get(school.account.told_by)
    if scheme is None:
        return None
    url = f"{web_url}/callbacks/{feed_token(settings, school)}"
    return FeedAddress(url, scheme, feed_secret(settings, school))


def _derived(settings: Settings, purpose: str) -> str:
    return hmac.new(settings.key("secret"), f"demo {purpose}".encode(), hashlib.sha256).hexdigest()
