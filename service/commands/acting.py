"""An act of the operator on the database: one transaction, and what is said of it only after the commit."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from billing.errors import HocphiError, NotFound, Refused
from billing.people.tables import School
from reconciliation.errors import UnknownFeed
from service.commands.answers import YES, no, reason_of, unusable
from service.database import EVERYTHING
from service.embedded import ServersFailed
from service.running import open_wiring
from service.settings import read_settings
from service.wiring import Wiring

Act = Callable[[Session, argparse.Namespace, Wiring], list[str]]
"""Does something and returns the lines to print: a password or an address that was not stored is none."""


def act(do: Act, arguments: argparse.Namespace) -> int:
    """Act; 1 when the rules say no or the database cannot be used, 2 for an unusable argument or file."""
    try:
        with open_wiring(read_settings(), ring=False) as wiring, wiring.database.transaction(EVERYTHING) as session:
            lines = do(session, arguments, wiring)
    except OSError as error:
        return unusable(f"Không đọc được tệp {error.filename}: {error.strerror}.")
    except (NotFound, Refused, UnknownFeed) as error:
        return unusable(str(error))
    except SQLAlchemyError as error:
        return no(f"Không dùng được cơ sở dữ liệu: {reason_of(error)}. Đã chạy `python -m service db prepare` chưa?")
    except (HocphiError, ServersFailed) as error:
        return no(str(error))
    for line in lines:
        print(line)
    return YES


def school_of(session: Session, code: str) -> School:
    """Return a school by its code; raises ``NotFound``."""
    found = session.exec(select(School).where(School.code == code)).one_or_none()
    if found is None:
        raise NotFound(f"Không có trường mã {code}.")
    return found
