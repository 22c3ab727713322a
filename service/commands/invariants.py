"""``invariants``: what must always be true, checked on the live database; JSON, exit 1 when something is not."""

from __future__ import annotations

import argparse
import json
from datetime import datetime

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from service.commands.answers import NO, YES, no, reason_of
from service.database import EVERYTHING
from service.embedded import ServersFailed
from service.invariants import PROVEN_BY_TESTS, Result, check_all
from service.running import open_wiring
from service.settings import read_settings
from service.wiring import Wiring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database's name on our own server; a given DATABASE_URL names its own."""
    parser.add_argument(
        "--database", default="hocphi", help="tên cơ sở dữ liệu trên máy chủ kèm theo (chạy thử: hocphi_demo)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print every invariant with what was found; 0 when all hold."""
    try:
        with open_wiring(read_settings(), ring=False, database=arguments.database) as wiring:
            results, now = check(wiring)
    except (ServersFailed, psycopg.Error, SQLAlchemyError) as error:
        return no(reason_of(error))
    print(json.dumps(as_document(results, now), ensure_ascii=False, indent=2))
    return YES if all(result.ok for result in results) else NO


def check(wiring: Wiring) -> tuple[list[Result], datetime]:
    """Check everything in one transaction; return the results and the moment."""
    now = wiring.clock()
    with wiring.database.transaction(EVERYTHING) as session:
        return check_all(session, wiring.vault, now), now


def as_document(results: list[Result], now: datetime) -> dict[str, object]:
    """Return the answer: what was checked here, and which tests prove the rest."""
    checked: dict[str, dict[str, object]] = {
        result.id: {
            "title": result.title,
            "ok": result.ok,
            "checked": result.checked,
            "problems": list(result.problems),
        }
        for result in results
    }
    proven: dict[str, dict[str, object]] = {
        name: {"title": title, "proven_by": test} for name, (title, test) in PROVEN_BY_TESTS.items()
    }
    everything = checked | proven
    listed = [{"id": name, **everything[name]} for name in sorted(everything, key=lambda name: int(name[1:]))]
    return {"ok": all(result.ok for result in results), "checked_at": now.isoformat(), "invariants": listed}
