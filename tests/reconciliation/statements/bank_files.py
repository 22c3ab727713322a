"""Made files in the layout of each bank: the same three movements of September 2025, as each bank would write them.

Opening 1.000.000; in 650.000 (8 Sep), out 11.000 (9 Sep), in 300.000 (10 Sep); closing 1.939.000. Nothing here is a
real export; the people and accounts are invented.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlwt
from openpyxl import Workbook

from tests.reconciliation.statements.workbooks import workbook

ACCOUNT = "0123456789"
FIRST, FEE, LAST = "FW23 hoc phi Nguyen Van An", "Phi quan ly tai khoan", "Tran Thi Be nop tien thang 9"
MOVEMENTS = [("2025-09-08", 650_000, FIRST), ("2025-09-09", -11_000, FEE), ("2025-09-10", 300_000, LAST)]

Rows = list[Sequence[object]]


def techcombank() -> bytes:
    top: Rows = [["NGÂN HÀNG TMCP KỸ THƯƠNG VIỆT NAM"], *[[] for _ in range(14)]]
    top += [["Số tài khoản/Account number", None, ACCOUNT], ["Loại tiền/Currency", None, "VND"]]
    top += [["Số dư đầu kỳ/Opening balance", None, 1_000_000], ["Số dư cuối kỳ/Closing balance", None, 1_939_000], []]
    heading = [
        "Ngày KH thực hiện/Requesting date",
        "Ngày giao dịch/Transaction date",
        "Số bút toán/Reference number",
        "Ngân hàng đối tác / Remitter's bank",
        "Tài khoản đích/Remitter's account number",
        "Tên tài khoản đối ứng/Remitter's account name",
        "Diễn giải/Description",
        "Nợ/Debit",
        "Có/Credit",
        "Phí/Lãi\nFee/Interest",
        "Thuế/Transaction VAT",
        "Số dư/Running balance",
    ]
    lines: Rows = [
        [
            "10/09/2025",
            "10/09/2025",
            "FT25253001",
            "MB",
            "99887766",
            "TRAN VAN B",
            LAST,
            None,
            300_000,
            None,
            None,
            1_939_000,
        ],
        ["09/09/2025", "09/09/2025", "FT25252001", "", "", "", FEE, None, None, -10_000, -1_000, 1_639_000],
        [
            "08/09/2025",
            "08/09/2025",
            "FT25251001",
            "VCB",
            "1122",
            "NGUYEN A",
            FIRST,
            None,
            "650,000",
            None,
            None,
            "1,650,000",
        ],
    ]
    return workbook(*top, heading, *lines, [], ["This paper is printed by the bank's system"])


def vietcombank_cashup(*, second: str = "0099887766") -> bytes:
    heading = [
        "STT",
        "Ngày GD/TNX Date   Số CT/Doc No",
        "Số tiền ghi nợ/Debit",
        "Số tiền ghi có/Credit",
        "Số dư/Balance",
        "Nội dung",
    ]
    mine: Rows = [
        ["1", "08/09/2025   5078 - 12345", "", "650,000", "1,650,000", FIRST],
        ["2", "09/09/2025   5078 - 12346", "11,000", "", "1,639,000", FEE],
        ["3", "10/09/2025   5078 - 12347", "", "300,000", "1,939,000", LAST],
        ["", "Tổng số/Total", "11,000", "950,000", "", ""],
    ]
    other: Rows = [
        ["1", "08/09/2025   5078 - 99", "", "5,000", "6,000", "of another"],
        ["", "Tổng số/Total", "", "5,000"],
    ]
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "VCBACCOUNTDETAIL_0925"
    for account, opening, lines in ((second, "1,000", other), (ACCOUNT, "1,000,000", mine)):
        for row in [
            ["", "SAO KÊ TÀI KHOẢN / STATEMENT OF ACCOUNT"],
            ["", "Số tài khoản/Account No:", account],
            ["", "Số dư đầu kỳ/Opening balance:", opening],
            heading,
            *lines,
            [],
        ]:
            sheet.append(list(row))
    return _saved(book)


def vietcombank_simple() -> bytes:
    rows: Rows = [
        ["NGÂN HÀNG TMCP NGOẠI THƯƠNG VIỆT NAM"],
        ["Số tài khoản", ACCOUNT],
        ["Số dư đầu kỳ", "1,000,000"],
        ["Ngày giao dịch", "Số tham chiếu", "Số tiền ghi nợ", "Số tiền ghi có", "Mô tả"],
        ["08/09/2025", "5078 - 12345", "", "650,000", FIRST],
        ["09/09/2025", "5078 - 12346", "11,000", "", FEE],
        ["10/09/2025", "5078 - 12347", "", "300,000", LAST],
        ["Số dư cuối kỳ", "1,939,000"],
    ]
    return workbook(*rows)


def vietcombank_html() -> bytes:
    heading = [
        "Ngày GD/<br>TNX Date",
        "Số CT/<br>Doc No",
        "Số tiền ghi có/<br>Credit",
        "Số tiền ghi nợ/<br>Debit",
        "Số dư",
        "Nội dung chi tiết/ Transactions in detail",
    ]
    lines = [
        ["08/09/2025", "5078 - 12345", "650,000", "&nbsp;", "1,650,000", FIRST],
        ["09/09/2025", "5078 - 12346", "", "11,000", "1,639,000", FEE],
        ["10/09/2025", "5078 - 12347", "300,000", "", "1,939,000", LAST],
    ]
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in [heading, *lines])
    top = (
        "<table><tr><td colspan=6><b>SAO KÊ TÀI KHOẢN</b> Vietcombank</td></tr>"
        f"<tr><td>Số tài khoản:</td><td>{ACCOUNT}</td></tr></table>"
    )
    return f"<html><head><style>td {{}}</style></head><body>{top}<table border=1>{body}</table></body></html>".encode()


def bidv_ibank() -> bytes:
    rows: Rows = [
        ["Số tài khoản cũ/Old account", "9999999999"],
        ["Số tài khoản", ACCOUNT],
        ["STT", "NGÀY HIỆU LỰC", "GHI NỢ", "GHI CÓ", "SỐ DƯ", "MÔ TẢ"],
        ["08312td0-87Xs", "08/09/2025 09:15:00", "0", "650,000", "1,650,000", FIRST],
        ["08312td0-87Xt", "09/09/2025 00:00:00", "11,000", "0", "1,639,000", FEE],
        ["08312td0-87Xu", "10/09/2025 10:00:00", "0", "300,000", "1,939,000", LAST],
    ]
    return workbook(*rows)


def bidv_counter() -> bytes:
    rows: Rows = [
        ["Mẫu số: CT001/KH"],
        ["SAO KÊ TÀI KHOẢN"],
        [f"Số tài khoản: {ACCOUNT}"],
        [
            "STT",
            "Ngày giao dịch",
            "Ngày hiệu lực",
            "Mã giao dịch",
            "Phát sinh nợ",
            "Phát sinh có",
            "Số dư",
            "Số chứng từ (SEQ No.)",
            "Mã GDV",
            "Mã CN",
            "Diễn giải",
        ],
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9)", "(10)", "(11)"],
        ["", "Số dư đầu kỳ", "", "", "", "", "1.000.000", "", "", "", ""],
        ["1", "08/09/2025", "08/09/2025", "DD", "", "650.000", "1.650.000", "771", "u1", "216", FIRST],
        ["", "Cộng trang", "", "", "", "650.000", "", "", "", "", ""],
        [
            "STT",
            "Ngày giao dịch",
            "Ngày hiệu lực",
            "Mã giao dịch",
            "Phát sinh nợ",
            "Phát sinh có",
            "Số dư",
            "Số chứng từ (SEQ No.)",
            "Mã GDV",
            "Mã CN",
            "Diễn giải",
        ],
        ["2", "09/09/2025", "09/09/2025", "DD", "11.000", "", "1.639.000", "772", "u1", "216", FEE],
        ["3", "10/09/2025", "10/09/2025", "DD", "", "300.000", "1.939.000", "773", "u1", "216", LAST],
        ["", "Tổng cộng", "", "", "11.000", "950.000", "", "", "", "", ""],
        ["", "", "", "", "", "", "", "", "", "", "Giao dịch viên"],
    ]
    return workbook(*rows)


def mb() -> bytes:
    rows: Rows = [
        ["NGÂN HÀNG TMCP QUÂN ĐỘI"],
        ["SAO KÊ CHI TIẾT TÀI KHOẢN"],
        [f"ACCOUNT NO: {ACCOUNT}"],
        ["Ngày hạch toán/Posting date", "Phát sinh nợ/Debit", "Phát sinh có/Credit", "Số dư", "Nội dung"],
        ["08/09/2025", "", "650,000", "1,650,000", FIRST],
        ["09/09/2025", "11,000", "", "1,639,000", FEE],
        ["10/09/2025", "", "300,000", "1,939,000", LAST],
        ["", "11,000", "950,000", "", ""],
    ]
    return workbook(*rows)


def vietinbank() -> bytes:
    top: Rows = [["LỊCH SỬ GIAO DỊCH - TRANSACTION HISTORY"], ["Số tài khoản/Account number:", ACCOUNT]]
    top += [[f"Điều khoản {n}"] for n in range(70)]
    heading = [
        "STT",
        "Ngày hạch toán/Accounting date",
        "Ngày phát sinh/Transaction date",
        "Mô tả giao dịch/Transaction description",
        "Nợ/ Debit",
        "Có / Credit",
        "Số dư TK/Account balance",
        "Số giao dịch/Transaction number",
    ]
    lines: Rows = [
        ["1", "08/09/2025", "08/09/2025 09:00:00", FIRST, "", "650,000", "1,650,000", "251VN01"],
        ["2", "09/09/2025", "", FEE, "11,000", "", "1,639,000", "252VN01"],
        ["3", "10/09/2025", "", LAST, "", "200,000", "1,839,000", "253VN01"],
        ["4", "", "", LAST, "", "100,000", "1,939,000", "253VN02"],
    ]
    return workbook(*top, heading, *lines)


def agribank(*, full: bool = True) -> bytes:
    names = ["Ngày/Date", "Ghi chú/Remark", "Nợ/Dr", "Có/Cr", "Số dư/Balance", "Số tham chiếu/Ref. no"]
    short = ["Ngày", "Diễn giải", "PS nợ", "PS có", "Số dư", "Số tham chiếu"]
    rows: Rows = [
        ["SỔ PHỤ / STATEMENT" if full else "Agribank"],
        ["Tài khoản số/Account No:", ACCOUNT],
        ["Số dư đầu kỳ/Opening balance:", "1.000.000,00"],
        names if full else short,
        ["08/09/2025", FIRST, "0,00", "650.000,00", "1.650.000,00", "5600-01"],
        ["09/09/2025", FEE, "11.000,00", "0,00", "1.639.000,00", "5600-02"],
        ["10/09/2025", LAST, "0,00", "300.000,00", "1.939.000,00", "5600-03"],
        ["Tổng cộng/Total", "", "11.000,00", "950.000,00", "", ""],
    ]
    return workbook(*rows)


def acb() -> bytes:
    rows: Rows = [
        ["NGAN HANG TMCP A CHAU - ACB"],
        [f"So tai khoan: {ACCOUNT}"],
        ["Tu ngay 01/09/2025 den ngay 30/09/2025"],
        ["Ngay", "Dien giai", "Ghi no", "Ghi co", "So du"],
        ["", "So du dau ky", "", "", "1,000,000"],
        ["08-09", FIRST, "", "650,000", "1,650,000"],
        ["09-09", FEE, "11,000", "", "1,639,000"],
        ["10-09", LAST, "", "300,000", "1,939,000"],
        ["", "So du cuoi ky", "", "", "1,939,000"],
    ]
    return workbook(*rows)


def vib() -> bytes:
    top: Rows = [["NGÂN HÀNG TMCP QUỐC TẾ VIỆT NAM (VIB)"], *[[] for _ in range(23)], ["Số tài khoản", "", ACCOUNT]]
    vietnamese = ["Ngày giao dịch", "Số giao dịch", "Số tiền", None, "Số dư", "Diễn giải"]
    english = ["Transaction date", "Reference", "Ghi nợ (Debit)", "Ghi có (Credit)", "Balance", "Description"]
    lines: Rows = [
        ["10/09/2025", "T3", "", "300,000", "1,939,000", LAST],
        ["09/09/2025", "T2", "11,000", "", "1,639,000", FEE],
        ["08/09/2025", "T1", "", "650,000", "1,650,000", FIRST],
    ]
    return workbook(*top, vietnamese, english, *lines)


def sacombank() -> bytes:
    rows: Rows = [
        ["Sacombank - Ngân hàng TMCP Sài Gòn Thương Tín"],
        ["Số tài khoản", ACCOUNT],
        ["Ngày giao dịch", "Nội dung", "Nợ", "Có", "Số dư"],
        ["08/09/2025", FIRST, "", 650_000, 1_650_000],
        ["09/09/2025", FEE, 11_000, "", 1_639_000],
        ["10/09/2025", LAST, "", 300_000, 1_939_000],
    ]
    return workbook(*rows)


def vpbank() -> bytes:
    rows: Rows = [
        ["VPBank"],
        ["Số tài khoản", ACCOUNT],
        ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"],
        ["08/09/2025", "B1", FIRST, "", "650,000", "1,650,000"],
        ["09/09/2025", "B2", FEE, "11,000", "", "1,639,000"],
        ["10/09/2025", "B3", LAST, "", "300,000", "1,939,000"],
    ]
    return workbook(*rows)


def mt940() -> bytes:
    return (
        "{1:F01BANKVNVXXXXX0000000000}{2:I940BANKVNVXXXXXN}{4:\n"
        f":20:STMT250908\n:25:{ACCOUNT}\n:28C:251/1\n:60F:C250908VND1000000,\n"
        f":61:2509080908C650000,NTRFNONREF//FT25251001\n:86:{FIRST}\n"
        f":61:2509090909D11000,NCHGNONREF//FT25252001\n:86:{FEE}\n"
        f":61:2509100910C300000,NTRFNONREF//FT25253001\n:86:{LAST}\n"
        ":62F:C250910VND1939000,\n:86:hotline 1900 0000\n-}\n"
    ).encode()


def camt053(version: str = "02") -> bytes:
    entries = [
        _entry("2025-09-08", "CRDT", "650000.00", FIRST, "FT25251001"),
        _entry("2025-09-09", "DBIT", "11000", FEE, "FT25252001"),
        _entry("2025-09-10", "CRDT", "300000", LAST, "FT25253001"),
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        f"<BkToCstmrStmt><GrpHdr/><Stmt><Id>1</Id><Acct><Id><Othr><Id>{ACCOUNT}</Id></Othr></Id></Acct>"
        f"{_balance('OPBD', 1_000_000)}{_balance('CLBD', 1_939_000)}{''.join(entries)}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _balance(code: str, dong: int) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='VND'>{dong}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2025-09-10</Dt></Dt></Bal>"
    )


def _entry(day: str, mark: str, amount: str, memo: str, reference: str) -> str:
    return (
        f"<Ntry><Amt Ccy='VND'>{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd><Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><RmtInf><Ustrd>{memo}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def table(*, memo: str = LAST) -> Rows:
    """Return a VPBank table as plain text, to be written in any format."""
    return [
        ["VPBank sao kê", "", "", "", "", ""],
        ["Số tài khoản", ACCOUNT, "", "", "", ""],
        ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"],
        ["08/09/2025", "B1", FIRST, "", "650.000", "1.650.000"],
        ["09/09/2025", "B2", FEE, "11.000", "", "1.639.000"],
        ["10/09/2025", "B3", memo, "", "300.000", "1.939.000"],
    ]


def delimited(rows: Sequence[Sequence[object]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = "\r\n".join(delimiter.join(_quoted(str(cell), delimiter) for cell in row) for row in rows)
    return text.encode(encoding)


def xls(rows: Sequence[Sequence[object]], merges: Sequence[tuple[int, int, int, int]] = ()) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sao ke")
    for place, row in enumerate(rows):
        for at, cell in enumerate(row):
            if cell not in {"", None}:
                sheet.write(place, at, cell)
    for top, bottom, left, right in merges:
        sheet.merge(top, bottom, left, right)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _quoted(cell: str, delimiter: str) -> str:
    return f'"{cell}"' if delimiter in cell else cell


def _saved(book: Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


LAYOUT_FILES = {
    "techcombank": ("techcombank", techcombank),
    "vietcombank cashup": ("vietcombank", vietcombank_cashup),
    "vietcombank simple": ("vietcombank", vietcombank_simple),
    "vietcombank html": ("vietcombank", vietcombank_html),
    "bidv ibank": ("bidv", bidv_ibank),
    "bidv counter": ("bidv", bidv_counter),
    "mb": ("mb", mb),
    "agribank": ("agribank", agribank),
    "agribank short": ("agribank", lambda: agribank(full=False)),
    "acb": ("acb", acb),
    "vib": ("vib", vib),
    "sacombank": ("sacombank", sacombank),
    "vpbank": ("vpbank", vpbank),
    "mt940": ("mt940", mt940),
    "camt053": ("camt053", camt053),
    "camt053.08": ("camt053", lambda: camt053("08")),
}
