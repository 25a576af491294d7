"""The page as text: templates with autoescape on, and the headers a browser is to hold it to."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from counterfoil.web import amounts

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # its colours are inside
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",  # it shows what members did
}

_templates = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_templates.filters |= {
    "money": amounts.money, "signed_money": amounts.signed_money, "points": amounts.points,
    "signed_points": amounts.signed_points, "instant": amounts.instant_text,
}  # fmt: skip


def render(template: str, **facts: object) -> str:
    """A template filled in; a fact that it names and nobody gave is an error, not an empty place."""
    return _templates.get_template(template).render(**facts)


def picture_markup(svg: str) -> Markup:
    """A picture of web.picture, which escapes its own text, to stand in a template."""
    return Markup(svg)  # noqa: S704 made by our own code from escaped text
