"""``caps``: load what a province decides about amounts from a catalogue file, or only check it.

A new cap ends the one that held without an end on the day before; that is said, and stands in each school's log.

That is the most that its council allows to be charged (``caps``), and its own parameters of pupils' health insurance
(``insurance``: base wage, rate, the State's share and the province's own).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from billing.audit.recording import SYSTEM
from billing.errors import HocphiError
from billing.fees.cap_rows import take_caps
from billing.fees.caps import Cap
from billing.fees.catalogue import Catalogue, read_catalogue
from billing.fees.errors import BadCatalogue
from billing.fees.insured import load_insurance_rules
from billing.fees.items import LEVEL_NAMES, UNIT_NAMES
from service.commands.answers import YES, no, unusable
from service.commands.rates import chosen_province
from service.database import EVERYTHING
from service.embedded import ServersFailed
from service.running import open_wiring
from service.settings import read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE.json", help="tệp danh mục có phần “caps” hoặc “insurance”")
    parser.add_argument("--province", metavar="CODE", help="mã tỉnh (không cần khi chỉ có một tỉnh)")
    parser.add_argument("--check", action="store_true", help="chỉ kiểm tra, không nạp")


def run(arguments: argparse.Namespace) -> int:
    """Load the file; 1 when something overlaps what is there or the database cannot be used, 2 for a bad file."""
    try:
        file = read_catalogue(arguments.file)
    except BadCatalogue as error:
        return unusable(str(error))
    if not file.caps and not file.insurance:
        return unusable(f"{arguments.file.name}: không có mức trần nào trong “caps”, không có gì trong “insurance”.")
    if arguments.check:
        print(f"{file.title}: {_counted(file)}, đọc được. Chưa nạp.")
        return YES
    try:
        return _load(file, arguments.province)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error)
        return no(f"Không dùng được cơ sở dữ liệu: {reason}. Đã chạy `python -m service db prepare` chưa?")
    except (HocphiError, ServersFailed) as error:
        return no(str(error))


def _load(file: Catalogue, code: str | None) -> int:
    with open_wiring(read_settings(), ring=False) as wiring, wiring.database.transaction(EVERYTHING) as session:
        province = chosen_province(session, code)
        taken = take_caps(session, province.id, file.caps, SYSTEM, wiring.clock())
        load_insurance_rules(session, province.id, file.insurance)
        lines = [
            f"{file.title}: đã nạp {len(taken.new)} mức trần mới cho {province.name} ({_counted(file)} trong tệp).",
            *(_ended(cap, by) for cap, by in taken.ended),
        ]
    print("\n".join(lines))
    return YES


def _ended(cap: Cap, by: Cap) -> str:
    """Return what is said of a cap that another one follows."""
    where = f" ({cap.zone})" if cap.zone else ""
    return (
        f"Mức trần cũ của {cap.item_code}, cấp {LEVEL_NAMES[cap.level]}{where}: {cap.max_amount}/{UNIT_NAMES[cap.unit]}"
        f" ({cap.legal_basis}) kết thúc ngày {cap.valid.end:%d/%m/%Y}; từ {by.valid.start:%d/%m/%Y} là {by.max_amount}."
    )


def _counted(file: Catalogue) -> str:
    """Return what a file holds: ``3 mức trần``, and the sets of insurance where it has any."""
    said = f"{len(file.caps)} mức trần"
    return f"{said}, {len(file.insurance)} bộ tham số BHYT" if file.insurance else said
