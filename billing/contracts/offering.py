"""A contract as it is put to its family: its version, and the prices by which it would be billed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby

from sqlmodel import Session

from billing.contracts.admitting import billing_days
from billing.contracts.reading import find_school, find_version, terms_of
from billing.contracts.reckoning import month_after, month_of
from billing.contracts.tables import Contract
from billing.contracts.wording import Offer, Priced, Words, contract_words
from billing.errors import Refused
from billing.fees.item_rows import find_item, live_prices
from billing.fees.tables import FeeItem, FeePrice
from billing.people.names import masked
from billing.people.tables import Pupil


def words_of(session: Session, contract: Contract, deposit_due: date) -> Words:
    """Return what the family of a contract would agree to now; raises ``Refused`` where a month has no one price."""
    version = find_version(session, contract.school_id, contract.version_id)
    offer = Offer(
        school=find_school(session, contract.school_id).name,
        number=contract.number,
        child=masked(session.get_one(Pupil, contract.pupil_id).full_name),
        school_year=contract.school_year,
        plan=contract.plan,
        starts_on=contract.starts_on,
        months=contract.months,
        version=version.code,
        title=version.title,
        body=version.body,
        terms=terms_of(session, contract),
        priced=tuple(_priced(session, contract)),
        deposit_due=deposit_due,
    )
    return contract_words(offer)


def _priced(session: Session, contract: Contract) -> Iterator[Priced]:
    way = terms_of(session, contract).way(contract.plan)
    item = find_item(session, contract.school_id, way.item)
    prices = live_prices(session, item)
    if way.instead:
        for first, _ in billing_days(session, contract, way):
            price = _price(item, prices, month_of(first))
            yield Priced(item.legal_name, first, price.quantity, price.amount)
        return
    months = [month_after(month_of(contract.starts_on), number) for number in range(contract.months)]
    for amount, found in groupby(months, lambda month: _price(item, prices, month).amount):
        same = list(found)
        yield Priced(item.legal_name, max(same[0], contract.starts_on), len(same), amount)


def _price(item: FeeItem, prices: list[FeePrice], month: date) -> FeePrice:
    """Return the price of a month; a child that applies has no class yet, so several prices leave none to show."""
    found = [row for row in prices if row.valid_from <= month and (row.valid_to is None or row.valid_to >= month)]
    if not found:
        raise Refused(f"Khoản thu {item.legal_name} chưa có giá của tháng {month:%m/%Y}. Hãy nhập giá trước.")
    if len({(row.amount, row.quantity) for row in found}) > 1:
        raise Refused(
            f"Khoản thu {item.legal_name} có nhiều giá theo khối lớp trong tháng {month:%m/%Y}, nên chưa cho gia đình"
            " đồng ý qua đường dẫn được. Hãy ký trên giấy."
        )
    return found[-1]
