"""``rates``: load what a province's council pays by pupil and month from a file, or only check it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from billing.errors import HocphiError, Refused
from billing.fees.council_rates import RateFile, check_rates, national_rates, parse_rates
from billing.fees.errors import BadCatalogue
from billing.fees.support import load_rates
from billing.people.tables import Authority
from service.commands.answers import YES, no, reason_of, unusable
from service.database import EVERYTHING
from service.embedded import ServersFailed
from service.running import open_wiring
from service.settings import read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE.json", help="tệp mức của hội đồng nhân dân tỉnh")
    parser.add_argument("--province", metavar="CODE", help="mã tỉnh (không cần khi chỉ có một tỉnh)")
    parser.add_argument("--check", action="store_true", help="chỉ kiểm tra với khung học phí, không nạp")


def run(arguments: argparse.Namespace) -> int:
    """Load the file; 1 when a rate is outside the frame or the database cannot be used, 2 for an unreadable file."""
    try:
        file = parse_rates(arguments.file.read_text(encoding="utf-8-sig"), arguments.file.name)
    except (BadCatalogue, UnicodeDecodeError) as error:
        return unusable(str(error))
    try:
        check_rates(file.rates, [*national_rates().frames, *file.frames])
        if arguments.check:
            print(f"{file.title}: {len(file.rates)} mức, đều trong khung học phí. Chưa nạp.")
            return YES
        return _load(file, arguments.province)
    except SQLAlchemyError as error:
        reason = reason_of(error)
        return no(f"Không dùng được cơ sở dữ liệu: {reason}. Đã chạy `python -m service db prepare` chưa?")
    except (HocphiError, ServersFailed) as error:
        return no(str(error))


def _load(file: RateFile, code: str | None) -> int:
    with open_wiring(read_settings(), ring=False) as wiring, wiring.database.transaction(EVERYTHING) as session:
        province = chosen_province(session, code)
        added = load_rates(session, province.id, file)
        print(f"{file.title}: đã nạp {added} mức mới cho {province.name} ({len(file.rates)} mức trong tệp).")
    return YES


def chosen_province(session: Session, code: str | None) -> Authority:
    """Return the province of a code, or the only one; raises ``Refused`` with those that there are."""
    provinces = session.exec(select(Authority).where(Authority.kind == "province")).all()
    chosen = [each for each in provinces if code in {None, each.code}]
    if len(chosen) != 1:
        known = ", ".join(sorted(each.code for each in provinces)) or "chưa có tỉnh nào"
        raise Refused(f"Hãy chọn một tỉnh bằng --province; hiện có: {known}.")
    return chosen[0]
