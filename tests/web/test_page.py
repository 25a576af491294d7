from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.web import amounts, page
from counterfoil.web.picture import who_paid_whom
from counterfoil.web.svg import cut, plain, width_of

SVG = "{http://www.w3.org/2000/svg}"
Coalition = tuple[dict[int, str], list[tuple[int, int, int]], dict[int, int]]
Shape = Literal["wide", "tall"]
SHAPES: tuple[Shape, ...] = ("wide", "tall")
IMPORT = re.compile(r"(?:import|export)\b[^;]*?from '([^']+)'")


@st.composite
def coalitions(draw: st.DrawFn) -> Coalition:
    """2 to 12 parties with any names, flows between them, and the nets those flows leave."""
    count = draw(st.integers(2, 12))
    names = st.text(min_size=1, max_size=40)
    parties = {number: draw(names) for number in (1, 2, *range(16, 14 + count))[:count]}
    ids = st.sampled_from(sorted(parties))
    flows = draw(st.lists(st.tuples(ids, ids, st.integers(1, 2**62)), max_size=40))
    nets = dict.fromkeys(parties, 0)
    for payer, payee, micros in flows:
        nets[payer] -= micros
        nets[payee] += micros
    return parties, flows, nets


def texts(svg: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


@given(coalition=coalitions(), shape=st.sampled_from(SHAPES), standalone=st.booleans())
def test_picture_is_xml_and_says_the_sums(coalition: Coalition, shape: Shape, *, standalone: bool) -> None:
    parties, flows, nets = coalition
    drawn = who_paid_whom("Settlement 1", parties, flows, nets, shape=shape, standalone=standalone)
    svg = ET.fromstring(drawn)
    said = texts(svg)
    gross = sum(micros for payer, payee, micros in flows if payer != payee)
    assert amounts.money(gross) in said
    assert amounts.money(sum(micros for micros in nets.values() if micros > 0)) in said
    for micros in nets.values():
        assert amounts.signed_money(micros) in said
    assert ("<style>" in drawn) == standalone
    assert "style=" not in drawn
    assert drawn == who_paid_whom("Settlement 1", parties, flows, nets, shape=shape, standalone=standalone)


@given(coalitions(), st.sampled_from(SHAPES))
def test_texts_do_not_overlap_and_stay_inside(coalition: Coalition, shape: Shape) -> None:
    svg = ET.fromstring(who_paid_whom("Settlement 1", *coalition, shape=shape, standalone=False))
    width, height = (float(number) for number in svg.attrib["viewBox"].split()[2:])
    boxes: list[tuple[float, float, float, float]] = []
    for text in svg.iter(f"{SVG}text"):
        size = int(text.attrib["font-size"])
        title = text.find(f"{SVG}title")
        shown = (text.text or "") if title is None else (title.tail or "")
        long = float(text.attrib.get("textLength", width_of(shown, size) / 10))
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        left = x - long if text.get("text-anchor") == "end" else x
        boxes.append((left, y - 0.8 * size, left + long, y + 0.2 * size))
    for place, (left, top, right, bottom) in enumerate(boxes):
        assert left >= -0.1
        assert right <= width + 0.1
        assert bottom <= height + 0.1
        for other_left, other_top, other_right, other_bottom in boxes[:place]:
            apart = left >= other_right or right <= other_left or top >= other_bottom or bottom <= other_top
            assert apart, (boxes[place], (other_left, other_top, other_right, other_bottom))


def test_picture_escapes_names_and_says_them_whole() -> None:
    hostile = "<script>alert('x')</script> & \x00\x0b\u202e Synowie i Spółka"
    drawn = who_paid_whom("A & <b>", {16: hostile, 17: "B"}, [(16, 17, 1_000_000)], {16: -1_000_000, 17: 1_000_000})
    svg = ET.fromstring(drawn)
    assert "<script" not in drawn
    assert "\u202e" not in drawn
    assert svg.findtext(f"{SVG}title") == "A & <b>"
    assert any(plain(hostile) == title.text for title in svg.iter(f"{SVG}title"))
    assert "pays" in svg.attrib["aria-label"] or "1.00" in svg.attrib["aria-label"]


def test_picture_adds_up_flows_of_one_pair() -> None:
    drawn = who_paid_whom(
        "x", {16: "A", 17: "B"}, [(16, 17, 4_000_000), (16, 17, 3_000_000)], {16: -7_000_000, 17: 7_000_000}
    )
    assert "A pays B 7.00" in drawn
    assert "Before netting: 1 flow<" in drawn


@given(st.integers(-(2**80), 2**80))
def test_money_is_exact_to_the_cent(micros: int) -> None:
    text = amounts.money(micros)
    cents = int(re.sub(r"[,.\N{MINUS SIGN}]", "", text)) * (-1 if text.startswith("\N{MINUS SIGN}") else 1)
    assert abs(cents * 10_000 - micros) <= 5_000
    assert re.fullmatch(r"\N{MINUS SIGN}?\d{1,3}(,\d{3})*\.\d\d", text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0.00"), (5_000, "0.00"), (15_000, "0.02"), (-4_999, "0.00"), (-11_000_000, "\N{MINUS SIGN}11.00"),
     (1_234_567_890_000, "1,234,567.89")],
)  # fmt: skip
def test_money_reads_so(micros: int, text: str) -> None:
    assert amounts.money(micros) == text


def test_nothing_saved_is_not_a_number() -> None:
    assert amounts.saved(0, 0) is None
    assert amounts.saved(3_000_000, 1_000_000) == "66.6"


@given(st.text(), st.integers(1, 40), st.integers(200, 3_000))
def test_a_cut_text_fits(text: str, size: int, width: int) -> None:
    shown = cut(text, size, width)
    assert shown == text or width_of(shown, size) <= max(width, width_of("…", size))


def test_every_module_that_a_module_imports_is_there() -> None:
    modules = sorted(page.STATIC.glob("*.js"))
    missing = {
        f"{module.name}: {path}"
        for module in modules
        for path in IMPORT.findall(module.read_text(encoding="utf-8"))
        if not (page.STATIC / path).is_file() or not path.startswith("./")
    }
    assert len(modules) >= 10
    assert missing == set()


def test_every_class_in_a_template_has_a_style() -> None:
    style = (page.STATIC / "style.css").read_text(encoding="utf-8")
    classes = {
        name
        for template in page.TEMPLATES.glob("*.html")
        for value in re.findall(r'class="([^"{]*)"', template.read_text(encoding="utf-8"))
        for name in value.split()
    }
    assert {name for name in classes if not re.search(rf"\.{name}\b", style)} == set()


def test_dark_names_every_colour_that_light_does() -> None:
    style = (page.STATIC / "style.css").read_text(encoding="utf-8")
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    colours = set(re.findall(r"(--[a-z-]+): #", light))
    assert colours == set(re.findall(r"(--[a-z-]+): #", dark))


READ_ON = [
    ("ink", "paper"), ("soft", "paper"), ("soft", "card"), ("soft", "sunk"), ("pays", "card"), ("gets", "card"),
    ("gets", "gets-wash"), ("wait", "wait-wash"), ("pays", "pays-wash"), ("ink", "pays-wash"),
    ("on-accent", "accent"), ("accent", "paper"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "against"), READ_ON)
def test_words_can_be_read_in_light_and_dark(word: str, against: str) -> None:
    style = (page.STATIC / "style.css").read_text(encoding="utf-8")
    for part in style.split("@media (prefers-color-scheme: dark)")[:2]:
        colours = dict(re.findall(r"--([a-z-]+): #([0-9a-f]+)", part))
        first, second = luminance(colours[word]), luminance(colours[against])
        assert (max(first, second) + 0.05) / (min(first, second) + 0.05) >= 4.5  # WCAG 2.2, AA


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    long = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    shares = [int(long[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_templates_are_escaped() -> None:
    said = page.render("refused.html", why="<b>&")
    assert "&lt;b&gt;&amp;" in said
    assert Path(page.TEMPLATES).is_dir()
