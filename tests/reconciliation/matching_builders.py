"""Short ways to write entries and transfers in tests of the matcher."""

from __future__ import annotations

from billing.money import Money
from billing.payments.reference import reference_for
from reconciliation.matching import Direction, IncomingTransfer, OpenRequest, RequestStatus

ACCOUNT = "0123456789"
OTHER_ACCOUNT = "9876543210"


def reference(number: int) -> str:
    return reference_for(number, b"key of these tests")


def entry(  # noqa: PLR0913  an entry has that many facts, nearly all by default
    number: int,
    due: int = 650_000,
    *,
    pupil: str | None = None,
    status: str = "open",
    account: str = ACCOUNT,
    school: str = "TH An Bình",
    virtual_account: str | None = None,
    key: str | None = None,
) -> OpenRequest:
    return OpenRequest(
        reference=reference(number),
        pupil=pupil or f"pupil {number}",
        family="family",
        school=school,
        account=account,
        virtual_account=virtual_account,
        due=Money(due),
        status=RequestStatus(status),
        key=key,
    )


def paying(  # noqa: PLR0913  as above
    memo: str,
    amount: int = 650_000,
    *,
    account: str = ACCOUNT,
    virtual_account: str | None = None,
    direction: Direction = Direction.IN,
    school: str | None = None,
) -> IncomingTransfer:
    return IncomingTransfer(
        id="1",
        amount=Money(amount),
        memo=memo,
        account=account,
        virtual_account=virtual_account,
        direction=direction,
        school=school,
    )
