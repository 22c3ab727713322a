"""Writing the bills of one round, set-wise: thousands of bills with lines, reductions and instalments in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.bills.instalments import Share, split_due
from billing.ledger.replacing import replacements
from billing.loading import as_text, load_lines, load_temporary, number_shared
from billing.money import Money, total


@dataclass(frozen=True, slots=True)
class NewReduction:
    """A share that another payer takes; ``reduction_id`` is empty for a rule of law that is nobody's row."""

    reduction_id: UUID | None
    payer: str
    amount: Money
    title: str
    legal_basis: str
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class NewLine:
    """One item of a bill to be written; ``because`` is the JSON from which it explains itself."""

    item_id: UUID
    item_code: str
    item_name: str
    unit: str
    quantity: int
    unit_price: Money
    gross: Money
    family_share: Money
    reductions: tuple[NewReduction, ...]
    because: str = "{}"


class NewBill(NamedTuple):
    """A bill to be written, with all its lines; ``replaces_id`` names a void bill in whose place it stands.

    Bills may share one tuple of lines; it is then sent to the database once.
    """

    id: UUID
    number: str
    enrolment_id: UUID | None
    pupil_id: UUID
    class_id: UUID | None
    bank_account_id: UUID
    lines: tuple[NewLine, ...]
    replaces_id: UUID | None = None

    @property
    def family_due(self) -> Money:
        """What the family is to pay."""
        return total(line.family_share for line in self.lines)

    @property
    def covered(self) -> bool:
        """Whether the family has nothing to pay."""
        return not any(line.family_share for line in self.lines)


@dataclass(frozen=True, slots=True)
class Issue:
    """What all bills of one round have in common; ``shares`` split each of them into instalments."""

    school_id: UUID
    round_id: UUID
    period: str
    due_on: date
    issued_at: datetime
    shares: tuple[Share, ...] = ()


# Texts as short as the columns that they are for: a table of such has no second one for what is long.
_BILLS = {
    "place": "int",
    "id": "uuid",
    "number": "varchar(30)",
    "enrolment_id": "uuid",
    "pupil_id": "uuid",
    "class_id": "uuid",
    "bank_account_id": "uuid",
    "replaces_id": "uuid",
    "gross": "bigint",
    "family_due": "bigint",
    "lines": "int",
}
_LINES = {
    "lines": "int",
    "position": "int",
    "item_id": "uuid",
    "item_code": "text",
    "item_name": "text",
    "unit": "text",
    "quantity": "int",
    "unit_price": "bigint",
    "gross": "bigint",
    "family_share": "bigint",
    "because": "jsonb",
}
_REDUCTIONS = {
    "lines": "int",
    "position": "int",
    "reduction_id": "uuid",
    "payer": "text",
    "amount": "bigint",
    "title": "text",
    "legal_basis": "text",
    "percent": "int",
}
_INSTALMENTS = {"bill_id": "uuid", "number": "int", "amount": "bigint", "due_on": "date"}
_INSERT_BILLS = text("""
    INSERT INTO bills (id, school_id, round_id, enrolment_id, pupil_id, class_id, bank_account_id, number, period,
                       gross, reduced, family_due, due_on, issued_at, replaces_id)
    SELECT id, :school_id, :round_id, enrolment_id, pupil_id, class_id, bank_account_id, number, :period,
           gross, gross - family_due, family_due, :due_on, :issued_at, replaces_id
    FROM pg_temp.new_bills ORDER BY place
""")
# One statement, so that a share finds the key of its line without a search among all lines of the province.
_INSERT_LINES = text("""
    WITH written AS (
        INSERT INTO bill_lines (school_id, bill_id, position, item_id, item_code, item_name, unit, quantity,
                                unit_price, gross, family_share, note, because)
        SELECT :school_id, b.id, l.position, l.item_id, l.item_code, l.item_name, l.unit, l.quantity,
               l.unit_price, l.gross, l.family_share, '', l.because
        FROM pg_temp.new_bills b JOIN pg_temp.new_bill_lines l ON l.lines = b.lines
        ORDER BY b.place, l.position
        RETURNING id, bill_id, position
    )
    INSERT INTO bill_reductions (school_id, line_id, reduction_id, payer, percent, amount, title, legal_basis)
    SELECT :school_id, w.id, r.reduction_id, r.payer, r.percent, r.amount, r.title, r.legal_basis
    FROM pg_temp.new_bills b
    JOIN pg_temp.new_bill_reductions r ON r.lines = b.lines
    JOIN written w ON w.bill_id = b.id AND w.position = r.position
""")
_INSERT_INSTALMENTS = text("""
    INSERT INTO bill_instalments (school_id, bill_id, number, amount, due_on)
    SELECT :school_id, bill_id, number, amount, due_on FROM pg_temp.new_bill_instalments
""")


def write_bills(session: Session, issue: Issue, bills: Sequence[NewBill]) -> None:
    """Insert bills, lines, reductions and instalments; the database checks sums, keys and the school on every row.

    A bill for an account that was replaced goes to the one in its place. The bills stay in the temporary table
    ``new_bills`` until the transaction ends, in their order, with the number of their lines (``booking``).
    """
    session.flush()
    instead = replacements(session, issue.school_id)
    shared_lines = number_shared(bill.lines for bill in bills)
    each = shared_lines.values()
    ends = {id(lines): _end_of_line(number, lines) for number, lines in each}
    texts = (_bill_line(place, bill, instead) + ends[id(bill.lines)] for place, bill in enumerate(bills))
    spelled: dict[int, str] = {}
    lines = (spelling for one in each for spelling in _line_texts(*one, spelled))
    reductions = (row for one in each for row in _shares(*one))
    load_lines(session, "new_bills", _BILLS, texts, joined_by=["id", "pupil_id", "lines"])
    load_lines(session, "new_bill_lines", _LINES, lines, joined_by=["lines"])
    load_temporary(session, "new_bill_reductions", _REDUCTIONS, reductions, joined_by=["lines", "position"])
    shared = {
        "school_id": issue.school_id,
        "round_id": issue.round_id,
        "period": issue.period,
        "due_on": issue.due_on,
        "issued_at": issue.issued_at,
    }
    session.execute(_INSERT_BILLS, shared)
    session.execute(_INSERT_LINES, {"school_id": issue.school_id})
    if issue.shares:
        load_temporary(session, "new_bill_instalments", _INSTALMENTS, _parts(bills, issue.shares))
        session.execute(_INSERT_INSTALMENTS, {"school_id": issue.school_id})


def _bill_line(place: int, bill: NewBill, instead: Mapping[UUID, UUID]) -> str:
    account = instead.get(bill.bank_account_id, bill.bank_account_id) if instead else bill.bank_account_id
    return (
        f"{place}\t{as_text(bill.id)}\t{as_text(bill.number)}\t{as_text(bill.enrolment_id)}\t{as_text(bill.pupil_id)}"
        f"\t{as_text(bill.class_id)}\t{as_text(account)}\t{as_text(bill.replaces_id)}"
    )


def _end_of_line(number: int, lines: Sequence[NewLine]) -> str:
    """Return what the bills with the same lines have in common."""
    gross, share = total(line.gross for line in lines), total(line.family_share for line in lines)
    return f"\t{gross.dong}\t{share.dong}\t{number}\n"


def _line_texts(number: int, lines: Sequence[NewLine], known: dict[int, str]) -> Iterator[str]:
    """Yield what stands in each line; ``known`` holds, by ``id``, what was spelled for other bills."""
    for position, line in enumerate(lines, 1):
        if id(line) not in known:
            known[id(line)] = (
                f"{as_text(line.item_id)}\t{as_text(line.item_code)}\t{as_text(line.item_name)}\t{as_text(line.unit)}"
                f"\t{line.quantity}\t{line.unit_price.dong}\t{line.gross.dong}\t{line.family_share.dong}"
                f"\t{as_text(line.because)}\n"
            )
        yield f"{number}\t{position}\t{known[id(line)]}"


def _shares(number: int, lines: Sequence[NewLine]) -> Iterator[tuple[object, ...]]:
    for position, line in enumerate(lines, 1):
        for share in line.reductions:
            yield (
                number,
                position,
                share.reduction_id,
                share.payer,
                share.amount.dong,
                share.title,
                share.legal_basis,
                share.percent,
            )


def _parts(bills: Sequence[NewBill], shares: Sequence[Share]) -> Iterator[tuple[object, ...]]:
    for bill in bills:
        for part in split_due(bill.family_due, shares):
            yield bill.id, part.number, part.amount.dong, part.due_on
