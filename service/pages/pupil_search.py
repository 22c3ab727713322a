"""Pupils of a school by name, code, class, sum or phone: as a person types it, marks and đ optional."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from billing.money import ZERO, total
from billing.people.known import Known
from billing.people.names import search_key, sort_key
from billing.people.tables import Contact, Guardianship
from reconciliation.queue.open_bills import open_bills_of
from service.pages.queue_views import PupilHit

MOST_HITS = 20
_PHONE_END = 3  # digits of a number that screens show
_FEWEST_DIGITS_OF_A_SUM = 4


def search_pupils(
    session: Session, school_id: UUID, known: Mapping[UUID, Known], words: str, bank_account_id: UUID
) -> tuple[PupilHit, ...]:
    """Return the pupils that fit all words, in the order of class lists, at most 20, with what is open for each."""
    wanted = search_key(words).split()
    if not wanted:
        return ()
    why: dict[UUID, str] = {pupil: "" for pupil, each in known.items() if all(word in each.key for word in wanted)}
    digits = re.sub(r"[^0-9]", "", words)
    if digits and not re.search(r"[^\W\d_đ₫]", words.casefold().replace("đ", "")):
        why |= {pupil: "Số điện thoại phụ huynh" for pupil in _by_phone(session, digits) if pupil in known}
        why |= dict.fromkeys(_by_sum(session, school_id, known, digits, bank_account_id), "Số tiền đang còn")
    listed = sorted(why, key=lambda pupil: (known[pupil].class_name, sort_key(known[pupil].name)))[:MOST_HITS]
    bills = open_bills_of(session, school_id, listed, bank_account_id)
    return tuple(
        PupilHit(
            str(pupil),
            known[pupil].name,
            known[pupil].code,
            known[pupil].class_name,
            total(bill.rest for bill in bills.get(pupil, ())) or ZERO,
            why[pupil],
        )
        for pupil in listed
    )


def _by_phone(session: Session, digits: str) -> set[UUID]:
    """Return the pupils of whose guardians a number ends with these digits, as far as screens show it."""
    if len(digits) != _PHONE_END:
        return set()
    rows = session.exec(
        select(Guardianship.pupil_id)
        .join(Contact, col(Contact.guardian_id) == col(Guardianship.guardian_id))
        .where(Contact.kind == "phone", col(Contact.masked).endswith(digits), col(Contact.valid_to).is_(None))
    ).all()
    return set(rows)


def _by_sum(
    session: Session, school_id: UUID, known: Mapping[UUID, Known], digits: str, bank_account_id: UUID
) -> set[UUID]:
    """Return the pupils for whom just this sum is open, on one bill or on all together."""
    if len(digits) < _FEWEST_DIGITS_OF_A_SUM:
        return set()
    bills = open_bills_of(session, school_id, list(known), bank_account_id)
    sums = {
        pupil: {bill.rest.dong for bill in each} | {total(bill.rest for bill in each).dong}
        for pupil, each in bills.items()
    }
    return {pupil for pupil, each in sums.items() if int(digits) in each}
