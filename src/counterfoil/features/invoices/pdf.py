"""A document as PDF, from its stored body alone: the same document gives the same bytes, whenever it is asked for."""

from __future__ import annotations

import io
import threading
from functools import cache
from importlib.resources import files
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from counterfoil.features.invoices.words import WORDS, day, grouped, money, percent, places_of

INK, QUIET, LINE, ACCENT, BAND = (HexColor(f"#{one}") for one in ("1b2733", "66737f", "d5dce2", "0b5d56", "f1f6f5"))
MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
UNIT_PLACES = 4
_ONE_AT_A_TIME = threading.Lock()  # the library keeps fonts in tables of its own, without locks
_FACES = {"Invoice": "OpenSans-Regular", "Invoice-Bold": "OpenSans-SemiBold"}


@cache
def _styles() -> dict[str, ParagraphStyle]:
    """Open Sans (Latin, Cyrillic and Greek), embedded as the glyphs that are used."""
    for name, file in _FACES.items():
        pdfmetrics.registerFont(TTFont(name, str(files("ttf_opensans") / "ttf" / f"{file}.ttf")))
    pdfmetrics.registerFontFamily("Invoice", "Invoice", "Invoice-Bold", "Invoice", "Invoice-Bold")
    plain = ParagraphStyle("plain", fontName="Invoice", fontSize=8.5, leading=12, textColor=INK)

    def kin(name: str, **more: Any) -> ParagraphStyle:
        return ParagraphStyle(name, parent=plain, **more)

    bold = {"fontName": "Invoice-Bold"}
    return {
        "plain": plain, "right": kin("right", alignment=TA_RIGHT),
        "bold": kin("bold", **bold), "bold_right": kin("bold_right", alignment=TA_RIGHT, **bold),
        "quiet": kin("quiet", fontSize=7.5, leading=10.5, textColor=QUIET),
        "quiet_right": kin("quiet_right", fontSize=7.5, leading=10.5, textColor=QUIET, alignment=TA_RIGHT),
        "name": kin("name", fontSize=12, leading=24, **bold),
        "title": kin("title", fontSize=22, leading=27, textColor=ACCENT, alignment=TA_RIGHT, **bold),
        "head": kin("head", fontSize=7.5, leading=10, textColor=white, **bold),
        "head_right": kin("head_right", fontSize=7.5, leading=10, textColor=white, alignment=TA_RIGHT, **bold),
        "sum": kin("sum", fontSize=10.5, leading=14, **bold),
        "sum_right": kin("sum_right", fontSize=10.5, leading=14, alignment=TA_RIGHT, **bold),
    }  # fmt: skip


def rendered(body: dict[str, Any], digest: bytes) -> bytes:
    """The PDF of a document's body; `digest`: SHA-256 of its JSON, for whoever wants to check."""
    with _ONE_AT_A_TIME:
        return _rendered(body, digest)


def _rendered(body: dict[str, Any], digest: bytes) -> bytes:
    paper, out = Paper(body), io.BytesIO()
    title = f"{paper.words[body['kind']]} {body['number']}"
    template = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=16 * mm, bottomMargin=24 * mm, title=title,
        author=body["seller"]["name"], creator="Counterfoil", invariant=1, lang=paper.language,
    )  # fmt: skip
    footer = f"{paper.words['closing']} {body['closing']}", f"{paper.words['hash']} {digest.hex()}"

    class Footed(Canvas):
        """Counts the pages before it writes how many there are."""

        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 the library's name
            self.kept.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]

        def save(self) -> None:
            for place, page in enumerate(self.kept):
                self.__dict__.update(page)
                self.setStrokeColor(LINE)
                self.line(MARGIN, 19 * mm, A4[0] - MARGIN, 19 * mm)
                self.setFillColor(QUIET)
                self.setFont("Invoice", 6)
                for step, text in enumerate(footer):
                    self.drawString(MARGIN, (15 - 3.4 * step) * mm, text)
                count = paper.words["page"].format(place + 1, len(self.kept))
                self.drawRightString(A4[0] - MARGIN, 15 * mm, f"{body['number']}   {count}")
                super().showPage()
            super().save()

    template.build(paper.story(), canvasmaker=Footed)
    return out.getvalue()


class Paper:
    """What stands on the pages, from top to bottom."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body, self.style = body, _styles()
        self.language = body["buyer"]["language"]
        self.words = WORDS[self.language]
        self.sign = 1 if body["kind"] == "credit_note" else -1  # positive: what the title is about
        self.places = places_of(line["amount_micros"] for line in body["lines"])

    def story(self) -> list[Flowable]:
        """The flowables."""
        return [
            self.header(), Spacer(1, 6 * mm), self.parties(), Spacer(1, 7 * mm), self.lines(), Spacer(1, 5 * mm),
            KeepTogether([self.totals(), Spacer(1, 6 * mm), self.taxes(), Spacer(1, 6 * mm), *self.payment()]),
        ]  # fmt: skip

    def say(self, text: str, style: str = "plain") -> Paragraph:
        """A paragraph of plain text."""
        return Paragraph(escape(text), self.style[style])

    def amount(self, micros: int, places: int = 2) -> str:
        """As the title looks at it."""
        return money(self.sign * micros, self.language, places)

    def header(self) -> Table:
        """The issuer at the left, title and number at the right, below them when and of what."""
        body, words = self.body, self.words
        title = [self.say(words[body["kind"]], "title"), self.say(body["number"], "bold_right")]
        if body["corrects"]:
            title.append(self.say(f"{words['correction']}: {self.corrected()}", "quiet_right"))
        facts = (
            ("issued", day(body["issued_on"], self.language)), ("settlement", str(body["settlement"])),
            ("closed", body["closed_at"][:16].replace("T", " ")),
            ("tax_due", day(body["tax_due_on"], self.language) if body["tax_micros"] else "\N{EN DASH}"),
        )  # fmt: skip
        cells = [[self.say(words[name], "quiet"), self.say(value, "bold")] for name, value in facts]
        meta = Table([cells], colWidths=[WIDTH / 4] * 4)
        meta.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), BAND), ("LINEABOVE", (0, 0), (-1, 0), 1.2, ACCENT),
                                  ("VALIGN", (0, 0), (-1, -1), "TOP")]))  # fmt: skip
        top = Table([[[self.say(body["seller"]["name"], "name")], title]], colWidths=[WIDTH * 0.5, WIDTH * 0.5])
        top.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_flush()]))
        whole = Table([[top], [Spacer(1, 4 * mm)], [meta]], colWidths=[WIDTH])
        whole.setStyle(TableStyle(_flush()))
        return whole

    def corrected(self) -> str:
        """The documents that this one corrects."""
        return ", ".join(
            " ".join(one["numbers"]) or self.words["of_settlement"].format(one["settlement"])
            for one in self.body["corrects"]
        )

    def parties(self) -> Table:
        """Issuer and legal entity side by side."""
        table = Table([[self.party("seller"), self.party("buyer")]], colWidths=[WIDTH / 2] * 2)
        table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_flush()]))
        return table

    def party(self, who: str) -> list[Flowable]:
        """A party's name, address and tax ids."""
        one = self.body[who]
        shown: list[Flowable] = [self.say(self.words[who], "quiet"), self.say(one["name"], "bold")]
        *street, town = one["address"] or [""]
        place = ", ".join(text for text in (town, one["country"]) if text)
        shown += [self.say(text) for text in [*street, place, one["email"]] if text]
        if one["tax_ids"]:
            shown.append(self.say(f"{self.words['tax_id']}: {', '.join(one['tax_ids'])}"))
        names = [partner["name"] for partner in one.get("partners", ())]
        if names and names != [one["name"]]:
            shown.append(self.say(f"{self.words['partners']}: {', '.join(names)}", "quiet"))
        return shown

    def lines(self) -> Table:
        """The lines; the head comes again on every page."""
        words = self.words
        heads = [words["description"], words["points"], words["unit"], words["tax"],
                 f"{words['amount']}, {self.body['currency']}"]  # fmt: skip
        rows: list[list[Flowable]] = [
            [self.say(text, "head_right" if place else "head") for place, text in enumerate(heads)]
        ]
        bands, partner = [], None
        for line in self.body["lines"]:
            if len(self.body["buyer"]["partners"]) > 1 and line["partner"] not in (None, partner):
                partner = line["partner"]
                bands.append(len(rows))
                rows.append([self.say(partner, "bold"), *[Spacer(0, 0)] * 4])
            points, unit = line["points"], line["unit_micros"]
            rows.append([
                self.description(line),
                self.say(grouped(abs(points), self.language) if points else "", "right"),
                self.say(money(unit, self.language, UNIT_PLACES) if unit else "", "right"),
                self.say(self.rate(line["tax"]), "right"),
                self.say(self.amount(line["amount_micros"], self.places), "right"),
            ])  # fmt: skip
        widths = [WIDTH - 100 * mm, 24 * mm, 24 * mm, 22 * mm, 30 * mm]
        table = Table(rows, colWidths=widths, repeatRows=1)
        table.setStyle(TableStyle([
            ("BACKGROUND", (0, 0), (-1, 0), ACCENT), ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 3.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4), *(("BACKGROUND", (0, at), (-1, at), BAND) for at in bands),
        ]))  # fmt: skip
        return table

    def description(self, line: dict[str, Any]) -> Paragraph:
        """What a line is for; below it what it corrects."""
        text = self.words[line["kind"]]
        text = escape(self.words["refund"].format(text) if line["refund"] else text)
        if line["corrects"]:
            numbers = next(one["numbers"] for one in self.body["corrects"] if one["settlement"] == line["corrects"])
            below = ", ".join([self.words["of_settlement"].format(line["corrects"]), *numbers])
            text += f'<br/><font size="7.5" color="#66737f">{escape(below)}</font>'
        return Paragraph(text, self.style["plain"])

    def rate(self, tax: dict[str, Any]) -> str:
        """A line's rate: the percentage, or the category's letters where nothing is charged."""
        plain: dict[str, str] = {"S": percent(tax["rate_bp"], self.language), "O": "\N{EN DASH}"}
        category: str = tax["category"]
        return plain.get(category, category)

    def totals(self) -> Table:
        """What moves with the settlement, what is paid by bank, and both."""
        body, words = self.body, self.words
        rows = [
            (words["net"].format(body["settlement"]), body["net_micros"]), (words["tax_total"], body["tax_micros"]),
            (f"{words['total']}, {body['currency']}", body["total_micros"]),
        ]  # fmt: skip
        shown = [["", self.say(text), self.say(self.amount(micros), "right")] for text, micros in rows[:2]]
        shown.append(["", self.say(rows[2][0], "sum"), self.say(self.amount(rows[2][1]), "sum_right")])
        table = Table(shown, colWidths=[WIDTH - 105 * mm, 70 * mm, 35 * mm])
        table.setStyle(TableStyle([("LINEABOVE", (1, 2), (-1, 2), 1.2, ACCENT), ("BACKGROUND", (1, 2), (-1, 2), BAND)]))
        return table

    def taxes(self) -> Table:
        """The summary by rate."""
        words = self.words
        heads = [words["tax"], words["category"], words["rate"], words["base"], words["tax"]]
        rows = [[self.say(text, "quiet_right" if place > 1 else "quiet") for place, text in enumerate(heads)]]
        for one in self.body["taxes"]:
            name = one["name"] or (words["outside"] if one["category"] == "O" else "")
            name = f"{name} \N{EN DASH} {one['note']}" if one["note"] else name
            rows.append([
                self.say(name), self.say(one["category"]), self.say(percent(one["rate_bp"], self.language), "right"),
                self.say(self.amount(one["base_micros"], self.places), "right"),
                self.say(self.amount(one["tax_micros"]), "right"),
            ])  # fmt: skip
        table = Table(rows, colWidths=[WIDTH - 110 * mm, 25 * mm, 25 * mm, 30 * mm, 30 * mm])
        table.setStyle(TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
        return table

    def payment(self) -> list[Flowable]:
        """How it is paid."""
        body, words = self.body, self.words
        how = words[f"how_{body['kind']}"].format(buyer=body["buyer"]["name"], n=body["settlement"])
        shown = [self.say(words["payment"], "bold"), self.say(how, "quiet")]
        if body["tax_micros"]:
            due = f"{words['tax_due']}: {day(body['tax_due_on'], self.language)}"
            payee = body["seller" if body["tax_micros"] < 0 else "buyer"]
            shown += [self.say(text, "quiet") for text in (due, *payee["payment"])]
        return list(shown)


def _flush() -> list[Any]:
    """No padding."""
    return [(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]
