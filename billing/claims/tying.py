"""Whether the bills have booked on the State what a claim asks for on the school's behalf, pupil by pupil.

Prices, reductions and claims follow the same rules, so they tie where nothing changed after a bill was issued. Where
something did, a person must see it: the bill is corrected, or the claim is.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.claims.learners import Read
from billing.claims.months import Oddity, Worked
from billing.fees.council_rates import RateKind
from billing.money import ZERO, Money, total

_BOOKED = text("""
SELECT b.pupil_id, ARRAY(SELECT jsonb_array_elements(l.because -> 'months') ->> 0) AS months,
       (SELECT coalesce(sum(r.amount), 0) FROM bill_reductions r
        WHERE r.school_id = l.school_id AND r.line_id = l.id AND r.payer = 'state')::bigint
       - (SELECT coalesce(sum(c.off_state), 0) FROM bill_credits c
          WHERE c.school_id = l.school_id AND c.line_id = l.id)::bigint AS booked
FROM bills b
JOIN bill_lines l ON l.school_id = b.school_id AND l.bill_id = b.id
JOIN fee_items i ON i.school_id = l.school_id AND i.id = l.item_id
WHERE b.school_id = :school AND i.item_group = 'tuition' AND jsonb_typeof(l.because -> 'months') = 'array'
  AND NOT EXISTS (SELECT FROM bill_voids v WHERE v.school_id = b.school_id AND v.bill_id = b.id)
ORDER BY b.pupil_id, l.id
""")


def untied(session: Session, read: Read, worked: Worked) -> tuple[Oddity, ...]:
    """Return the pupils whose bills booked more or less on the State than the claim asks for the school.

    Only months that are billed are compared, and lines of which every month lies in the claim.
    """
    if read.rules.kind is RateKind.LEARNING:
        return ()
    asked = _asked(read, worked)
    booked: dict[UUID, Money] = defaultdict(lambda: ZERO)
    months: dict[UUID, set[date]] = defaultdict(set)
    for pupil, billed, amount in session.execute(_BOOKED, {"school": read.rules.school}).all():
        days = {date.fromisoformat(f"{month}-01") for month in billed}
        if days and all(read.rules.first_month <= day <= read.rules.last_month for day in days):
            booked[pupil] += Money(amount)
            months[pupil] |= days
    found = []
    for pupil, sum_booked in booked.items():
        wanted = total(asked.get((pupil, month), ZERO) for month in months[pupil])
        if wanted != sum_booked:
            found.append(Oddity(pupil, _text(sorted(months[pupil]), sum_booked, wanted)))
    return tuple(found)


def _asked(read: Read, worked: Worked) -> dict[tuple[UUID, date], Money]:
    """Return what all lists together ask for the school, by pupil and month, once this one is approved."""
    last = {(each.pupil_id, each.month): each.line for each in read.known if each.line is not None}
    for line in sorted(worked.lines, key=lambda each: each.revision):
        last[line.right.pupil_id, line.right.month] = line.right
    return {key: right.amount for key, right in last.items() if right.payee == "school"}


def _text(months: list[date], booked: Money, wanted: Money) -> str:
    named = ", ".join(f"{month:%m/%Y}" for month in months)
    return (
        f"Giấy báo thu ghi Nhà nước chịu {booked} học phí tháng {named}, còn danh sách đề nghị {wanted} cho nhà trường."
        " Hãy điều chỉnh giấy báo thu hoặc xem lại dữ liệu trước khi trình."
    )
