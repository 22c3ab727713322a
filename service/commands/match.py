"""``match FILE.jsonl``: the matcher, dry: one JSON line in, one decision out, no database."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from billing.errors import Refused
from billing.money import Money
from reconciliation.deciding import decide
from reconciliation.feeds.json_body import MAX_DONG, JsonObject, read_object
from reconciliation.matching import Decision, Direction, IncomingTransfer, OpenRequest, Outcome, RequestStatus
from reconciliation.memory_book import MemoryBook
from reconciliation.weak_signs import Person
from service.commands.answers import YES, unusable

MAX_LINE_BYTES = 16 * 1024 * 1024
Answer: TypeAlias = dict[str, object]
_BOM = b"\xef\xbb\xbf"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``match``."""
    parser.add_argument("file", help="tệp JSONL (mỗi dòng có open và transfer), hoặc - cho đầu vào chuẩn")


def run(arguments: Namespace) -> int:
    """Print one decision for each line; a bad line is an outcome too, so only an unusable file is an error."""
    try:
        if arguments.file == "-":
            _print_all(sys.stdin.buffer)
        else:
            with Path(arguments.file).open("rb") as lines:
                _print_all(lines)
    except OSError as error:
        return unusable(f"Không đọc được tệp {arguments.file}: {error.strerror}")
    return YES


def _print_all(lines: BinaryIO) -> None:
    for answer in answers(lines):
        print(json.dumps(answer, ensure_ascii=False))


def answers(lines: BinaryIO) -> Iterator[Answer]:
    """Decide line by line; lines know nothing of each other but the transfer ids seen before."""
    seen: set[str] = set()
    first = True
    # A line over the limit is read in pieces, so that no file can fill the memory.
    while line := lines.readline(MAX_LINE_BYTES + 1):
        line, first = (line.removeprefix(_BOM) if first else line), False
        if len(line) > MAX_LINE_BYTES:
            _skip_rest(lines, line)
            yield _answer(None, _bad(f"dòng dài hơn {MAX_LINE_BYTES} byte"))
        elif line.strip():
            yield _decide_line(line, seen)


def _skip_rest(lines: BinaryIO, piece: bytes) -> None:
    while piece and not piece.endswith(b"\n"):
        piece = lines.readline(MAX_LINE_BYTES)


def _decide_line(line: bytes, seen: set[str]) -> Answer:
    transfer_id: object = None
    try:
        fields = read_object(line, MAX_LINE_BYTES)
        transfer_fields = _object(fields, "transfer")
        transfer_id = _identity(transfer_fields)
        if str(transfer_id) in seen:
            return _answer(transfer_id, Decision(Outcome.DUPLICATE, evidence=("duplicate_id",)))
        seen.add(str(transfer_id))
        transfer = _transfer(transfer_fields)
        entries = [_entry(item) for item in _entries(fields)]
        # Where a file calls its pupils by name, the name may lead to them; a number never does.
        book = MemoryBook(entries, [Person(pupil=pupil, name=pupil) for pupil in {entry.pupil for entry in entries}])
    except Refused as error:
        return _answer(transfer_id, _bad(error.message))
    return _answer(transfer_id, decide(transfer, book))


def _answer(transfer_id: object, decision: Decision) -> Answer:
    return {
        "id": transfer_id,
        "outcome": decision.outcome.value,
        "bills": [{"reference": bill.reference, "amount": bill.amount.dong} for bill in decision.bills],
        "credit": decision.credit.dong,
        "evidence": list(decision.evidence),
    }


def _bad(reason: str) -> Decision:
    return Decision(Outcome.REFUSED, evidence=("bad_input", {"reason": reason}))


def _identity(fields: JsonObject) -> str | int:
    value = fields.get("id")
    if isinstance(value, str) and value:
        return value
    if type(value) is int:
        return value
    raise Refused("transfer.id phải là chữ hoặc số nguyên")


def _transfer(fields: JsonObject) -> IncomingTransfer:
    direction = fields.get("direction", Direction.IN.value)
    if direction not in ("in", "out"):
        raise Refused("transfer.direction phải là in hoặc out")
    return IncomingTransfer(
        id=str(fields["id"]),
        amount=_dong(fields, "amount", least=-MAX_DONG),
        memo=_text(fields, "memo") or "",
        account=_needed(fields, "account"),
        virtual_account=_text(fields, "virtual_account") or None,
        direction=Direction(str(direction)),
    )


def _entries(fields: JsonObject) -> list[JsonObject]:
    listed = fields.get("open")
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Refused("open phải là một danh sách các khoản phải thu")
    return listed


def _entry(fields: JsonObject) -> OpenRequest:
    status = fields.get("status")
    if status not in (None, *RequestStatus):
        raise Refused("open.status phải là open, paid hoặc void")
    return OpenRequest(
        reference=_needed(fields, "reference"),
        pupil=_needed(fields, "pupil"),
        family=_needed(fields, "family"),
        school=_needed(fields, "school"),
        account=_needed(fields, "account"),
        virtual_account=_text(fields, "virtual_account") or None,
        due=_dong(fields, "due", least=0),
        status=RequestStatus(str(status)) if status else RequestStatus.OPEN,
    )


def _object(fields: JsonObject, name: str) -> JsonObject:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise Refused(f"{name} phải là một đối tượng JSON")
    return value


def _text(fields: JsonObject, name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(f"{name} phải là chữ")
    return value


def _needed(fields: JsonObject, name: str) -> str:
    value = _text(fields, name)
    if not value:
        raise Refused(f"thiếu {name}")
    return value


def _dong(fields: JsonObject, name: str, least: int) -> Money:
    value = fields.get(name)
    if type(value) is not int or not least <= value <= MAX_DONG:
        raise Refused(f"{name} phải là số nguyên (đồng)")
    return Money(value)
