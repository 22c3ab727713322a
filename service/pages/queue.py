"""The people's queue: money that waits is looked at, assigned, split, commented, tried again, undone, and agreed to."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.errors import HocphiError, Refused
from billing.people.workbook import MAX_ROWS
from reconciliation.queue.sharing import AUTO
from service.access import limits
from service.access.errors import TooLarge
from service.access.roles import MATRIX
from service.pages.desk import Desk
from service.pages.guards import OpenDesk, StaffVisit, Visit, parts_of
from service.pages.queue_views import Confirmed, TypedShare, TypedSplit
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.telling import TOLD, told
from service.pages.typed import clean
from service.pages.uploading import MAX_BODY_BYTES, MAX_FILE_BYTES

QUEUE = "/van-phong/cho-xu-ly"
_MOST_TEXT = 4_000_000  # as many lines as a sheet, with a name, a class and a sum on each
_FIELDS_OF_A_LINE = 3
_OTHER_FIELDS = 20
# A split of as many lines as a sheet comes back from the preview as a form.
router = APIRouter(
    prefix=QUEUE,
    max_body_size=MAX_BODY_BYTES,
    form_limits={"max_fields": _FIELDS_OF_A_LINE * MAX_ROWS + _OTHER_FIELDS, "max_part_size": MAX_FILE_BYTES},
)

Words = Annotated[str, Query(max_length=100)]
Said = Annotated[str, Query(max_length=20)]
Short = Annotated[str, Form(max_length=100)]
Text = Annotated[str, Form(max_length=1000)]
Lines = Annotated[list[str], Form(max_length=MAX_ROWS)]

SAID = {
    "ghi": ("Đã ghi; biên lai được lập.", "Stored; the receipt is made."),
    "de-nghi": ("Đã gửi đề nghị, chờ người thứ hai đồng ý.", "Asked; waits for another person."),
    "go": ("Đã đề nghị gỡ, chờ người thứ hai đồng ý.", "Undoing is asked for; waits for another person."),
    "dong-y": ("Đã đồng ý và thực hiện.", "Agreed and carried out."),
    "khong": ("Đã ghi: không thực hiện.", "Stored: it is not carried out."),
    "ghi-chu": ("Đã ghi chú.", "The comment is stored."),
    "thu-lai-ghi": ("Máy so khớp đã ghi được giao dịch này.", "The matcher could book it."),
    "thu-lai": ("Đã thử lại: vẫn cần người xem.", "Tried again: it still needs a person."),
}


def _may(visit: Visit) -> dict[str, bool]:
    """Return which acts the matrix opens here."""
    acts = {"makes": "/gd/{transfer_id}/ghi", "agrees": "/viec/{act_id}/dong-y", "refuses": "/viec/{act_id}/khong"}
    return {name: bool(MATRIX["POST", f"{QUEUE}{path}"] & visit.roles) for name, path in acts.items()}


@router.get("")
def waiting(request: Request, visit: StaffVisit, desk: OpenDesk, tim: Words = "", xong: Said = "") -> Response:
    """List the transfers that wait for a person, with reasons and candidates."""
    found = desk.waiting(visit.who, visit.place, clean(tim))
    now = parts_of(request).clock()
    return page(request, "queue.html", visit=visit, waiting=found, now=now, said=SAID.get(xong), **_may(visit))


@router.get("/da-ghi")
def matched(request: Request, visit: StaffVisit, desk: OpenDesk, tim: Words = "") -> Response:
    """List what was booked lately, to be looked at or undone."""
    found = desk.matched(visit.who, visit.place, clean(tim))
    return page(request, "queue_matched.html", visit=visit, waiting=found, **_may(visit))


@router.get("/viec")
def acts(request: Request, visit: StaffVisit, desk: OpenDesk, xong: Said = "") -> Response:
    """List the acts that wait for a second person."""
    return _acts(request, visit, desk, said=SAID.get(xong))


@router.post("/viec/{act_id}/dong-y")
def agree(request: Request, visit: StaffVisit, desk: OpenDesk, act_id: UUID) -> Response:
    """Agree to an act of another person, which carries it out; what stands against it is told above the list."""
    try:
        desk.agree_act(visit.who, visit.place, act_id, parts_of(request).clock())
    except TOLD as error:
        return _acts(request, visit, desk, error=error)
    return go_to(visit.place, f"{QUEUE}/viec", xong="dong-y")


@router.post("/viec/{act_id}/khong")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, act_id: UUID, ly_do: Text = "") -> Response:
    """Refuse an act, or withdraw one's own."""
    try:
        desk.refuse_act(visit.who, visit.place, act_id, clean(ly_do), parts_of(request).clock())
    except TOLD as error:
        return _acts(request, visit, desk, error=error, about=act_id, typed=clean(ly_do))
    return go_to(visit.place, f"{QUEUE}/viec", xong="khong")


@router.get("/nhieu")
def bulk(
    request: Request, visit: StaffVisit, desk: OpenDesk, gd: Annotated[list[UUID] | None, Query(max_length=200)] = None
) -> Response:
    """Show what taking several transfers at once would do: count, sum, exceptions."""
    return _bulk(request, visit, desk, gd or [])


@router.post("/nhieu")
def take_bulk(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    gd: Annotated[list[UUID], Form(max_length=200)] = [],  # noqa: B006  FastAPI copies it
    da_xem: Annotated[list[str], Form(max_length=200)] = [],  # noqa: B006  as above
    xem: Short = "",
) -> Response:
    """Take them as the dry run showed, all or none."""
    if len(gd) != len(da_xem):
        raise Refused("Biểu mẫu thiếu dòng. Hãy tải lại trang rồi xác nhận lại.")
    seen = list(zip(gd, da_xem, strict=True))
    try:
        desk.assign_bulk(visit.who, visit.place, seen, xem, parts_of(request).clock())
    except TOLD as error:
        return _bulk(request, visit, desk, gd, error)
    return go_to(visit.place, QUEUE, xong="ghi")


@router.get("/nhieu/mot")
def together(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    gd: Annotated[list[UUID] | None, Query(max_length=200)] = None,
    em: Words = "",
    tim: Words = "",
) -> Response:
    """Look for the one pupil that several transfers are for, or show what giving them all to one would store."""
    return _together(request, visit, desk, gd or [], em, clean(tim))


@router.post("/nhieu/mot")
def assign_together(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    gd: Annotated[list[UUID], Form(max_length=200)] = [],  # noqa: B006  FastAPI copies it
    da_xem: Annotated[list[str], Form(max_length=200)] = [],  # noqa: B006  as above
    em: Short = "",
    xem: Short = "",
    ly_do: Text = "",
) -> Response:
    """Give them all to one pupil as shown, or none; what stands against it is told beside what was typed."""
    if len(gd) != len(da_xem):
        raise Refused("Biểu mẫu thiếu dòng. Hãy tải lại trang rồi xác nhận lại.")
    seen, why = list(zip(gd, da_xem, strict=True)), clean(ly_do)
    try:
        left = desk.assign_together(visit.who, visit.place, em, seen, xem, why, parts_of(request).clock())
    except TOLD as error:
        return _together(request, visit, desk, gd, em, "", error=error, reason=why)
    return go_to(visit.place, QUEUE, xong="de-nghi" if left else "ghi")


@router.get("/gd/{transfer_id}")
def one(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, tim: Words = "", xong: Said = ""
) -> Response:
    """Show one transfer: the bank's line, candidates side by side, history, and every act."""
    return _one(request, visit, desk, transfer_id, words=clean(tim), said=SAID.get(xong))


@router.get("/gd/{transfer_id}/tim")
def hits(request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, tim: Words = "") -> Response:
    """Return the pupils that words find, as a piece of the page above."""
    found = desk.waiting_transfer(visit.who, visit.place, transfer_id, clean(tim))
    return page(request, "queue_hits.html", visit=visit, found=found, **_may(visit))


@router.get("/gd/{transfer_id}/bang.xlsx")
def sheet(request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, lop: Words = "") -> Response:
    """Hand out the sheet of a class to fill in."""
    parts_of(request).limiter.spend(limits.PAPERS, str(visit.who.user_id))
    return file_answer(desk.split_sheet(visit.who, visit.place, transfer_id, lop))


@router.get("/gd/{transfer_id}/xem")
def preview_one(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    transfer_id: UUID,
    em: Words = "",
    lop: Words = "",
    deu: Said = "",
) -> Response:
    """Show what giving all to one pupil, or a split over a class, would store."""
    shares = (TypedShare(em, ""),) if em else ()
    return _preview(request, visit, desk, transfer_id, TypedSplit(shares, class_id=lop, equal=deu == "co"))


@router.post("/gd/{transfer_id}/xem")
def preview_split(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    transfer_id: UUID,
    em: Lines = [],  # noqa: B006  FastAPI copies it
    tien: Lines = [],  # noqa: B006  as above
    vao: Lines = [],  # noqa: B006  as above
    them: Short = "",
    tim_them: Short = "",
    danh_sach: Annotated[str, Form(max_length=_MOST_TEXT)] = "",
    ly_do: Text = "",
    tep: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Show what typed lines, a pasted list or a sheet would store; bad lines are told, nothing is stored."""
    data = tep.file.read(MAX_FILE_BYTES + 1) if tep is not None and tep.filename else b""
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge("Tệp lớn hơn 10 MB.")
    split = TypedSplit(_lines(em, tien, vao), them, clean(tim_them), text=danh_sach, sheet=data, reason=clean(ly_do))
    return _preview(request, visit, desk, transfer_id, split)


@router.post("/gd/{transfer_id}/ghi")
def assign(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    transfer_id: UUID,
    em: Lines = [],  # noqa: B006  FastAPI copies it
    tien: Lines = [],  # noqa: B006  as above
    vao: Lines = [],  # noqa: B006  as above
    da_xem: Short = "",
    xem: Short = "",
    tim_them: Short = "",
    ly_do: Text = "",
) -> Response:
    """Store an assignment: at once, or asked for; what stands against it is told beside what was typed."""
    split = TypedSplit(_lines(em, tien, vao), words=clean(tim_them), reason=clean(ly_do))
    if split.words:  # Enter was pressed in the field that looks for one more pupil
        return _preview(request, visit, desk, transfer_id, split)
    try:
        confirmed = Confirmed(transfer_id, split, da_xem, xem)
        done = desk.assign_transfer(visit.who, visit.place, confirmed, parts_of(request).clock())
    except TOLD as error:
        return _preview(request, visit, desk, transfer_id, split, error)
    return go_to(visit.place, QUEUE, xong="ghi" if done else "de-nghi")


@router.post("/gd/{transfer_id}/ghi-chu")
def comment(request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, loi: Text = "") -> Response:
    """Write a comment beside a transfer."""
    words = clean(loi)
    try:
        desk.comment_transfer(visit.who, visit.place, transfer_id, words, parts_of(request).clock())
    except TOLD as error:
        return _one(request, visit, desk, transfer_id, error=error, comment=words)
    return go_to(visit.place, f"{QUEUE}/gd/{transfer_id}", xong="ghi-chu")


@router.post("/gd/{transfer_id}/thu-lai")
def retry(request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, da_xem: Short = "") -> Response:
    """Ask the matcher again."""
    try:
        booked = desk.retry_transfer(visit.who, visit.place, transfer_id, da_xem, parts_of(request).clock())
    except TOLD as error:
        return _one(request, visit, desk, transfer_id, error=error)
    return go_to(visit.place, f"{QUEUE}/gd/{transfer_id}", xong="thu-lai-ghi" if booked else "thu-lai")


@router.post("/gd/{transfer_id}/go")
def undo(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, da_xem: Short = "", ly_do: Text = ""
) -> Response:
    """Ask for a match to be undone; what stands against it is told beside what was typed."""
    try:
        desk.undo_transfer(visit.who, visit.place, transfer_id, da_xem, clean(ly_do), parts_of(request).clock())
    except TOLD as error:
        return _one(request, visit, desk, transfer_id, error=error, typed=clean(ly_do))
    return go_to(visit.place, f"{QUEUE}/gd/{transfer_id}", xong="go")


def _lines(em: list[str], tien: list[str], vao: list[str]) -> tuple[TypedShare, ...]:
    """Return the typed lines; a line without a sum is left out where there are several."""
    tien, vao = tien or [""] * len(em), vao or [AUTO] * len(em)
    if not len(em) == len(tien) == len(vao):
        raise Refused("Biểu mẫu thiếu dòng. Hãy tải lại trang rồi làm lại.")
    rows = [TypedShare(*row) for row in zip(em, tien, vao, strict=True)]
    return tuple(row for row in rows if len(rows) == 1 or row.amount.strip().strip("0").strip())


def _preview(  # noqa: PLR0913, PLR0917  what is shown, and what stands against it
    request: Request,
    visit: Visit,
    desk: Desk,
    transfer_id: UUID,
    split: TypedSplit,
    error: HocphiError | None = None,
) -> Response:
    against = told(request, visit, desk, error)
    found = desk.preview_split(visit.who, visit.place, transfer_id, split)
    if error is None:
        against |= {"status": 422 if found.problems else 200, "error": found.error}
    return page(request, "queue_preview.html", visit=visit, found=found, text=split.text, **against)


def _acts(  # noqa: PLR0913  what the page says besides the acts
    request: Request,
    visit: Visit,
    desk: Desk,
    *,
    said: tuple[str, str] | None = None,
    error: HocphiError | None = None,
    about: UUID | None = None,
    typed: str = "",
) -> Response:
    """``about``: the act that ``typed`` was meant to refuse."""
    against = told(request, visit, desk, error)
    more: dict[str, Any] = {
        "acts": desk.open_acts(visit.who, visit.place),
        "said": said,
        "about": str(about or ""),
        "typed": typed,
    }
    return page(request, "queue_acts.html", visit=visit, **more, **against, **_may(visit))


def _bulk(
    request: Request, visit: Visit, desk: Desk, transfers: list[UUID], error: HocphiError | None = None
) -> Response:
    against = told(request, visit, desk, error)
    found = desk.bulk(visit.who, visit.place, transfers)
    return page(request, "queue_bulk.html", visit=visit, found=found, **against)


def _together(  # noqa: PLR0913, PLR0917  what is shown, and what stands against it
    request: Request,
    visit: Visit,
    desk: Desk,
    transfers: list[UUID],
    pupil: str,
    words: str,
    *,
    error: HocphiError | None = None,
    reason: str = "",
) -> Response:
    against = told(request, visit, desk, error)
    found = desk.together(visit.who, visit.place, transfers, pupil, words)
    return page(request, "queue_together.html", visit=visit, found=found, reason=reason, **against)


def _one(  # noqa: PLR0913  what the page says besides the transfer
    request: Request,
    visit: Visit,
    desk: Desk,
    transfer_id: UUID,
    *,
    words: str = "",
    said: tuple[str, str] | None = None,
    error: HocphiError | None = None,
    typed: str = "",
    comment: str = "",
) -> Response:
    """``typed``: why it is to be undone; ``comment``: what was to stand beside it."""
    against = told(request, visit, desk, error)
    found = desk.waiting_transfer(visit.who, visit.place, transfer_id, words)
    more: dict[str, Any] = {
        "found": found,
        "now": parts_of(request).clock(),
        "said": said,
        "typed": typed,
        "comment": comment,
    }
    return page(request, "queue_one.html", visit=visit, **more, **against, **_may(visit))
