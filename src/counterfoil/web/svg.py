"""The few shapes a picture is made of, as SVG. Lengths are whole tenths of a pixel; text is escaped here."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from counterfoil.core.units import mul_div_down

Anchor = Literal["start", "end"]
Point = tuple[int, int]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
# hundredths of the font size that a letter takes, as in the widest of common fonts
_WIDE, _SMALL, _CAPITAL, _DIGIT, _BROAD, _THIN = 102, 68, 80, 70, 105, 44
_BROAD_LETTERS, _THIN_LETTERS = frozenset("MWmw@%&"), frozenset("iljtfrI.,:;'|!()[] ")


def px(tenths: int) -> str:
    """Tenths of a pixel as SVG reads them."""
    sign, (whole, rest) = "-" if tenths < 0 else "", divmod(abs(tenths), 10)
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"


def plain(text: str) -> str:
    """The text without what XML forbids and without marks that turn the direction of what follows."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(letter) in {"Cc", "Cs", "Cn"}
        else "" if unicodedata.category(letter) == "Cf" else letter
        for letter in text
    )  # fmt: skip


def width_of(text: str, size: int) -> int:
    """About how wide the text is at a font size in px, in tenths of a pixel: rather too much."""
    return mul_div_down(sum(_share(letter) for letter in text), size, 10)


def cut(text: str, size: int, width: int) -> str:
    """The text, shortened with an ellipsis to fit."""
    if width_of(text, size) <= width:
        return text
    kept = text
    while kept and width_of(kept + _ELLIPSIS, size) > width:
        kept = kept[:-1]
    return kept.rstrip() + _ELLIPSIS


@dataclass(slots=True)
class Drawing:
    """Shapes in the order they are drawn. Colours are names of variables: ink, soft, line, pays, gets."""

    shapes: list[str] = field(default_factory=list)

    def text(
        self, at: Point, text: str, size: int, width: int, *, anchor: Anchor = "start", weight: int = 400,
        fill: str = "ink",
    ) -> None:  # fmt: skip
        """A line of text on the baseline `at`, cut to `width`; the whole of it shows on pointing."""
        whole = plain(text)
        shown = cut(whole, size, width)
        said = f"<title>{escape(whole)}</title>" if shown != whole else ""
        self._text(at, said + escape(shown), size, "", anchor, weight, fill)

    def amount(
        self, at: Point, text: str, size: int, width: int, *, anchor: Anchor = "start", weight: int = 400,
        fill: str = "ink",
    ) -> None:  # fmt: skip
        """A number on the baseline `at`: never cut, squeezed if it is wider than `width`."""
        squeezed = f' textLength="{px(width)}" lengthAdjust="spacingAndGlyphs"' if width_of(text, size) > width else ""
        self._text(at, escape(text), size, squeezed, anchor, weight, fill)

    def bar(self, at: Point, size: Point, fill: str) -> None:
        """A rectangle."""
        self.shapes.append(
            f'<rect x="{px(at[0])}" y="{px(at[1])}" width="{px(size[0])}" height="{px(size[1])}" rx="2" '
            f'fill="{_colour(fill)}"/>'
        )

    def line(self, start: Point, end: Point) -> None:
        """A thin line."""
        self.shapes.append(f'<path d="M{_point(start)}L{_point(end)}" stroke="{_colour("soft")}" fill="none"/>')

    def ribbon(self, start: Point, end: Point, thick: int, fill: str, said: str) -> None:
        """A band from `start` to `end`, both upper corners, with the words that show on pointing."""
        middle = mul_div_down(start[0] + end[0], 1, 2)
        under, over = (end[0], end[1] + thick), (start[0], start[1] + thick)
        self.shapes.append(
            f'<path d="M{_point(start)}C{_point((middle, start[1]))} {_point((middle, end[1]))} {_point(end)}'
            f"L{_point(under)}C{_point((middle, under[1]))} {_point((middle, over[1]))} {_point(over)}Z"
            f'" fill="{_colour(fill)}" fill-opacity=".34"><title>{escape(plain(said))}</title></path>'
        )

    def document(self, title: str, summary: str, size: Point, style: str | None) -> str:
        """The drawing as one element; with `style` it is a file of its own, on its own paper."""
        paper = [f"<style>{style}</style>", f'<rect width="100%" height="100%" fill="{_colour("paper")}"/>']
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {px(size[0])} {px(size[1])}" '
            + (f'width="{px(size[0])}" height="{px(size[1])}" ' if style else "")
            + f'role="img" aria-label={quoteattr(plain(summary))} font-family="{FONT}" fill="currentColor">'
            + f"<title>{escape(plain(title))}</title>"
            + "".join([*(paper if style else []), *self.shapes])
            + "</svg>"
        )

    def _text(self, at: Point, inner: str, size: int, squeezed: str, anchor: Anchor, weight: int, fill: str) -> None:
        end = ' text-anchor="end"' if anchor == "end" else ""
        bold = f' font-weight="{weight}"' if weight != 400 else ""
        self.shapes.append(
            f'<text x="{px(at[0])}" y="{px(at[1])}" font-size="{size}"{bold}{end}{squeezed} '
            f'fill="{_colour(fill)}">{inner}</text>'
        )


def _colour(name: str) -> str:
    return f"var(--{name}, currentColor)"


def _point(at: Point) -> str:
    return f"{px(at[0])} {px(at[1])}"


def _share(letter: str) -> int:
    if unicodedata.east_asian_width(letter) in {"W", "F"}:
        return _WIDE
    if letter in _BROAD_LETTERS:
        return _BROAD
    if letter in _THIN_LETTERS:
        return _THIN
    if letter.isdigit():
        return _DIGIT
    return _SMALL if letter.islower() else _CAPITAL
