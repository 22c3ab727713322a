"""The proof of study that a private school gives a family which gets the support itself, as an A5 PDF (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reportlab.platypus import Flowable, Spacer

from billing.documents.pdf import INNER_WIDTH, Printout, columns, field, line, one_at_a_time, render


@dataclass(frozen=True, slots=True)
class ProofOfStudy:
    """Everything the letter says. ``until`` is the last day at the school if it is known."""

    school: str
    address: str
    phone: str
    pupil: str
    born: date
    pupil_code: str
    class_name: str
    school_year: str
    since: date
    until: date | None
    issued_on: date
    number: str


@one_at_a_time
def proof_of_study_pdf(proof: ProofOfStudy) -> bytes:
    """Return the letter; the same record always gives the same bytes. No class of poverty stands in it."""
    return render([_printout(proof)], title="Giấy xác nhận đang học", author=proof.school)


def _printout(proof: ProofOfStudy) -> Printout:
    day = proof.issued_on
    studied = f"từ ngày {proof.since:%d/%m/%Y}" + (f" đến ngày {proof.until:%d/%m/%Y}" if proof.until else " đến nay")
    phone: list[Flowable] = [line(f"Điện thoại: {proof.phone}", size=8)] if proof.phone else []
    head: list[Flowable] = [
        line(proof.school, bold=True),
        line(proof.address, size=8),
        *phone,
        field("Số", proof.number),
    ]
    nation: list[Flowable] = [
        line("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", bold=True, align="center", size=8),
        line("Độc lập – Tự do – Hạnh phúc", align="center", size=8),
    ]
    story: list[Flowable] = [
        columns([head, nation], [INNER_WIDTH - 190, 190]),
        Spacer(0, 16),
        line("GIẤY XÁC NHẬN ĐANG HỌC", size=15, bold=True, align="center"),
        Spacer(0, 10),
        line("Nhà trường xác nhận học sinh dưới đây đang học tại trường:"),
        Spacer(0, 6),
        field("Họ và tên học sinh", proof.pupil),
        field("Ngày sinh", f"{proof.born:%d/%m/%Y}"),
    ]
    if proof.pupil_code:
        story.append(field("Mã học sinh", proof.pupil_code))
    story += [
        field("Lớp", proof.class_name),
        field("Năm học", proof.school_year),
        field("Thời gian học", studied),
        Spacer(0, 8),
        line(
            "Giấy này được cấp để gia đình làm thủ tục nhận hỗ trợ học phí của Nhà nước cho học sinh trường ngoài công"
            " lập."
        ),
        Spacer(0, 18),
        columns([[], _signature(day)], [INNER_WIDTH - 200, 200]),
    ]
    return Printout(story, f"Giấy xác nhận số {proof.number} · {proof.school}")


def _signature(day: date) -> list[Flowable]:
    return [
        line(f"Ngày {day:%d} tháng {day:%m} năm {day:%Y}", align="center"),
        line("HIỆU TRƯỞNG", bold=True, align="center"),
        line("(ký, họ tên, đóng dấu)", size=8, align="center"),
        Spacer(0, 60),
    ]
