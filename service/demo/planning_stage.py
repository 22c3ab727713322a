"""The stage of plans: every public school holds its parents' meeting and gets the decision before its first round."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.documents.pdf import Printout, field, line, one_at_a_time, render
from billing.fees.items import Ownership
from billing.people.tables import Authority, School
from billing.plans.checking import require_plans
from billing.plans.papers import read_paper
from billing.plans.planning import Decision, Estimate, Meeting, add_paper, approve_plan, draft_plan, submit_plan
from service.demo.schools import SCHOOL_YEAR
from service.pages.plan_rows import new_plan
from service.pages.typed import school_day

_MEETING_ON = date(2025, 8, 30)
_DECIDED_ON = date(2025, 9, 4)
_FIRST_DAY = date(2025, 9, 1)
_MEALS = 170  # meal days of a school year, where a plan proposes no number of units
_AWAY = 3  # families who did not agree to everything


def plan_collections(session: Session, school: School, maker: Actor, approver: Actor, now: datetime) -> None:
    """Give a public school an approved plan of all that needs one, and let its rounds need it; others need none."""
    if school.kind != Ownership.PUBLIC:
        return
    proposed = new_plan(session, school.id, school_day(now)).lines
    estimates = [
        Estimate(
            each.code,
            each.price,
            each.pupils or 1,
            each.times or _MEALS,
            "Chi phí thực tế năm học trước chia cho số học sinh",
            f"Chi đúng mục đích: {each.name}",
            each.audience,
        )
        for each in proposed
        if each.price
    ]
    families = max(each.pupils for each in estimates)
    meeting = Meeting(_MEETING_ON, "Hội trường nhà trường", max(families - _AWAY, 1), families)
    plan = draft_plan(session, school.id, SCHOOL_YEAR, meeting, estimates, maker, now)
    minutes = _paper("BIÊN BẢN HỌP CHA MẸ HỌC SINH", school, [("Ngày họp", f"{_MEETING_ON:%d/%m/%Y}")])
    add_paper(session, school.id, plan.id, "minutes", read_paper("Biên bản họp.pdf", minutes), maker, now)
    submit_plan(session, school.id, plan.id, maker, now)
    authority = session.get_one(Authority, school.authority_id).name
    number = f"{school.code[-3:]}/QĐ-UBND"
    decision = Decision(number, _DECIDED_ON, "Phạm Văn Quyết", authority, _FIRST_DAY)
    content = _paper("QUYẾT ĐỊNH DUYỆT KẾ HOẠCH THU", school, [("Số", number), ("Ngày", f"{_DECIDED_ON:%d/%m/%Y}")])
    approve_plan(session, school.id, plan.id, decision, read_paper("Quyết định.pdf", content), approver, now)
    require_plans(session, school, _FIRST_DAY, approver, now)


@one_at_a_time
def _paper(title: str, school: School, facts: list[tuple[str, str]]) -> bytes:
    """Return an invented paper as a PDF, so that the demonstration has something to open."""
    story = [line(title, bold=True, size=13, align="center"), line(school.name, align="center")]
    story += [field(name, value) for name, value in [*facts, ("Năm học", SCHOOL_YEAR)]]
    story.append(line("Văn bản giả định, chỉ dùng để chạy thử.", grey=True))
    return render([Printout(list(story), title)], title=title, author=school.name)
