"""Finding the pupils of a school to whom a transfer's memo or payer leads, from rows. Only ever for suggestions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.payments.tables import Payment, PaymentRequest, PaymentReversal
from billing.people.tables import ClassGroup, Contact, Guardianship, Pupil
from billing.vault import Vault
from reconciliation.matching import IncomingTransfer
from reconciliation.memo import Memo
from reconciliation.names import name_key, names_in
from reconciliation.payers import PayerKind
from reconciliation.tables import Transfer
from reconciliation.weak_signs import MOST_FAMILIES, Lead, families_of

_PHONE_CONTEXT = "contacts.phone"
_SHARED = (PayerKind.COMPANY.value, PayerKind.WALLET.value, PayerKind.REMITTANCE.value)


class PupilLeads:
    """Looks up pupils with requests on one account of one school; row-level security keeps other schools out."""

    def __init__(self, session: Session, school_id: UUID, bank_account_id: UUID, vault: Vault | None) -> None:
        self._session = session
        self._school_id = school_id
        self._bank_account_id = bank_account_id
        self._vault = vault
        self._names: list[tuple[UUID, str]] | None = None

    def leads(self, transfer: IncomingTransfer, memo: Memo) -> list[Lead]:
        """Return the pupils whom the memo names, whose family's phone stands in it, or whose account paid before."""
        names = self._named(memo)
        phones = self._phoned(memo)
        paid = self._paid_before(bytes.fromhex(transfer.payer)) if transfer.payer else set()
        pupils = names.keys() | phones.keys() | paid
        classes = self._classes(pupils)
        return [
            Lead(str(pupil), names.get(pupil, ""), classes.get(pupil, ""), phones.get(pupil, ""), payer=pupil in paid)
            for pupil in sorted(pupils)
        ]

    def siblings(self, pupil_id: UUID) -> set[UUID]:
        """Return the other children of a pupil's guardians, as far as this school sees them."""
        theirs = select(Guardianship.guardian_id).where(
            Guardianship.pupil_id == pupil_id, col(Guardianship.valid_to).is_(None)
        )
        found = self._session.exec(
            select(Guardianship.pupil_id).where(
                col(Guardianship.guardian_id).in_(theirs), col(Guardianship.valid_to).is_(None)
            )
        )
        return set(found) - {pupil_id}

    def _named(self, memo: Memo) -> dict[UUID, str]:
        """Return the pupils whose full name stands in the memo, with the key it was found by."""
        keys = set(names_in(memo))
        if not keys:
            return {}
        return {pupil_id: key for pupil_id, key in self._all_names() if key in keys}

    def _all_names(self) -> list[tuple[UUID, str]]:
        """Return the names of the account's pupils as they are looked for; read once."""
        if self._names is None:
            asked = select(PaymentRequest.pupil_id).where(
                PaymentRequest.school_id == self._school_id, PaymentRequest.bank_account_id == self._bank_account_id
            )
            rows = self._session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(asked)))
            self._names = [(pupil_id, name_key(name)) for pupil_id, name in rows]
        return self._names

    def _phoned(self, memo: Memo) -> dict[UUID, str]:
        """Return the pupils of whose guardians a number stands in the memo; numbers are found by blind index."""
        if self._vault is None:
            return {}
        blinds = {self._vault.blind(phone, _PHONE_CONTEXT): phone for phone in memo.phones}
        if not blinds:
            return {}
        rows = self._session.exec(
            select(Guardianship.pupil_id, Contact.blind)
            .join(Contact, col(Contact.guardian_id) == col(Guardianship.guardian_id))
            .where(
                Contact.kind == "phone",
                col(Contact.blind).in_(blinds),
                col(Contact.valid_to).is_(None),
                col(Guardianship.valid_to).is_(None),
            )
        )
        return {pupil_id: blinds[blind] for pupil_id, blind in rows}

    def _paid_before(self, payer: bytes) -> set[UUID]:
        """Return the pupils whom this account has paid for; none when it is, or may be, the account of many.

        Learned from settled transfers only, and not from those taken back.
        """
        alike = (col(Transfer.school_id) == self._school_id, col(Transfer.payer_blind) == payer)
        kinds = set(self._session.exec(select(Transfer.payer_kind).where(*alike).distinct()))
        if PayerKind.PERSON.value not in kinds or not kinds.isdisjoint(_SHARED):
            return set()
        reversed_ = and_(
            col(PaymentReversal.payment_id) == col(Payment.id),
            col(PaymentReversal.school_id) == col(Payment.school_id),
        )
        rows = self._session.execute(
            sql_select(col(Payment.pupil_id))
            .join(Transfer, and_(col(Transfer.school_id) == Payment.school_id, col(Transfer.id) == Payment.source_id))
            .outerjoin(PaymentReversal, reversed_)
            .where(
                *alike,
                col(Transfer.state) == "matched",
                col(Payment.source_kind) == "transfer",
                col(PaymentReversal.payment_id).is_(None),
            )
            .distinct()
        )
        pupils = set(rows.scalars())
        return pupils if families_of(self._guardians(pupils)) <= MOST_FAMILIES else set()

    def _guardians(self, pupils: Collection[UUID]) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {str(pupil): [] for pupil in pupils}
        rows = self._session.exec(
            select(Guardianship.pupil_id, Guardianship.guardian_id).where(
                col(Guardianship.pupil_id).in_(pupils), col(Guardianship.valid_to).is_(None)
            )
        )
        for pupil_id, guardian_id in rows:
            found[str(pupil_id)].append(str(guardian_id))
        return found

    def _classes(self, pupils: Collection[UUID]) -> dict[UUID, str]:
        """Return the class on each pupil's newest bill."""
        if not pupils:
            return {}
        rows = self._session.exec(
            select(Bill.pupil_id, ClassGroup.code)
            .join(ClassGroup, and_(col(ClassGroup.school_id) == Bill.school_id, col(ClassGroup.id) == Bill.class_id))
            .where(Bill.school_id == self._school_id, col(Bill.pupil_id).in_(pupils))
            .order_by(col(Bill.due_on), col(Bill.number))
        )
        return dict(rows.all())
