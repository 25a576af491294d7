"""Who paid whom, as one SVG: every flow before netting on the left, one net amount per party after it, right.

Pure: the same numbers give the same bytes. Lengths are whole tenths of a pixel. Text never overlaps, because
every party has a row of its own, names are cut to their column, and amounts wider than it are squeezed into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from counterfoil.core.accounts import FIRST_PARTNER
from counterfoil.core.units import mul_div_down
from counterfoil.web.amounts import money, saved, signed_money
from counterfoil.web.svg import Anchor, Drawing, width_of

Flow = tuple[int, int, int]  # payer, payee, micros

_COLOURS = """svg{--ink:#14221d;--soft:#56655f;--line:#d5ddd8;--paper:#fff;--pays:#a84a17;--gets:#0b7a5d}
@media(prefers-color-scheme:dark){svg{--ink:#e8efeb;--soft:#9fb0a8;--line:#34423c;--paper:#131a17;--pays:#f0955c;--gets:#4cc79f}}"""
_NAME, _AMOUNT, _HEADING, _TOTAL = 13, 12, 13, 26  # font sizes, px
_SLOT = 400  # of a party beside the flows
_ROW = 460  # of a party's net amount
_HEAD = 740  # of a panel


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the panels lie, in tenths of a pixel."""

    width: int
    flows: int  # width of the left panel
    label: int  # width of the names on both its sides
    band: int  # height of all flows together
    nets: int  # width of the right panel


_SHAPES = {
    "wide": _Shape(10_400, 6_200, 1_500, 2_600, 3_600),
    "tall": _Shape(2_800, 2_800, 920, 2_000, 2_800),
}
_GAP = 600  # between the panels
_EDGE = 280  # around a picture that stands alone


def who_paid_whom(
    title: str,
    parties: Mapping[int, str],
    flows: Sequence[Flow],
    nets: Mapping[int, int],
    *,
    shape: Literal["wide", "tall"] = "wide",
    standalone: bool = True,
) -> str:
    """The picture. `nets` are micros by party, + for who receives; amounts a party owes itself are left out.

    `standalone` is a file of its own, with title, paper and colours for light and dark; else it uses the page's.
    """
    plan = _SHAPES[shape]
    moved = _moved(flows)
    gross = sum(micros for _payer, _payee, micros in moved)
    net = sum(micros for micros in nets.values() if micros > 0)
    top, edge = (_EDGE + 460, _EDGE) if standalone else (0, 0)
    drawing = Drawing()
    left_height = _flows(drawing, plan, parties, moved, (edge, top))
    beside = plan.width >= plan.flows + _GAP + plan.nets
    corner = (edge + plan.width - plan.nets, top if beside else top + left_height + _GAP)
    right_height = _nets(drawing, plan, parties, nets, corner)
    below = max(left_height, right_height) if beside else left_height + _GAP + right_height
    size = (plan.width + 2 * edge, top + below + edge)
    if standalone:
        drawing.text((edge, edge + 180), title, 17, plan.width, weight=650)
    less = saved(gross, net)
    summary = (
        f"{title}. Before netting {money(gross)} in {len(moved)} flows, after netting {money(net)}"
        + (f", {less} % less. " if less else ". ")
        + "; ".join(f"{_name(parties, n)} {signed_money(micros)}" for n, micros in _by_net(parties, nets))
    )
    return drawing.document(title, summary, size, _COLOURS if standalone else None)


def _flows(
    drawing: Drawing, plan: _Shape, parties: Mapping[int, str], moved: Sequence[Flow], corner: tuple[int, int]
) -> int:
    """The left panel at `corner`; returns its height."""
    left, top = corner
    gross = sum(micros for _payer, _payee, micros in moved)
    _head(drawing, corner, plan.flows, f"Before netting: {_count(len(moved), 'flow')}", gross)
    if not moved:
        drawing.text((left, top + _HEAD + 240), "No money moved.", _NAME, plan.flows, fill="soft")
        return _HEAD + 400
    thick = {(payer, payee): max(10, mul_div_down(plan.band, micros, gross)) for payer, payee, micros in moved}
    payers = _stack(moved, 0, thick)
    payees = _stack(moved, 1, thick)
    height = max(payers[-1].bottom, payees[-1].bottom)
    from_x, to_x = left + plan.label, left + plan.flows - plan.label
    starts = _places(drawing, parties, payers, (from_x, top + _HEAD, height, plan.label), before=True)
    ends = _places(drawing, parties, payees, (to_x, top + _HEAD, height, plan.label), before=False)
    order = {node.party: place for place, node in enumerate(payees)}
    rank = {node.party: place for place, node in enumerate(payers)}
    for payer, payee, micros in sorted(moved, key=lambda flow: (rank[flow[0]], order[flow[1]])):
        width = thick[payer, payee]
        said = f"{_name(parties, payer)} pays {_name(parties, payee)} {money(micros)}"
        colour = "gets" if payer < FIRST_PARTNER else "pays"
        drawing.ribbon((from_x + 60, starts[payer]), (to_x - 60, ends[payee]), width, colour, said)
        starts[payer] += width
        ends[payee] += width
    return _HEAD + height


@dataclass(frozen=True, slots=True)
class _Node:
    """A party on one side of the flows: where its slot begins and how thick its flows are together."""

    party: int
    micros: int
    thick: int
    top: int

    @property
    def slot(self) -> int:
        return max(_SLOT, self.thick)

    @property
    def bottom(self) -> int:
        return self.top + self.slot


def _stack(moved: Sequence[Flow], side: int, thick: Mapping[tuple[int, int], int]) -> list[_Node]:
    micros: dict[int, int] = {}
    widths: dict[int, int] = {}
    for flow in moved:
        micros[flow[side]] = micros.get(flow[side], 0) + flow[2]
        widths[flow[side]] = widths.get(flow[side], 0) + thick[flow[0], flow[1]]
    nodes: list[_Node] = []
    for number in sorted(micros, key=lambda n: (-micros[n], n)):
        top = nodes[-1].bottom + 100 if nodes else 0
        nodes.append(_Node(number, micros[number], widths[number], top))
    return nodes


def _places(
    drawing: Drawing,
    parties: Mapping[int, str],
    nodes: list[_Node],
    column: tuple[int, int, int, int],
    *,
    before: bool,
) -> dict[int, int]:
    """Draw one side's parties; returns where the first flow of each is drawn."""
    x, top, height, label = column
    shift = top + mul_div_down(height - nodes[-1].bottom, 1, 2)
    starts = {}
    for node in nodes:
        middle = shift + node.top + mul_div_down(node.slot, 1, 2)
        starts[node.party] = middle - mul_div_down(node.thick, 1, 2)
        drawing.bar((x if before else x - 60, starts[node.party]), (60, node.thick), "ink")
        anchor: Anchor = "end" if before else "start"
        at = x - 120 if before else x + 120
        drawing.text((at, middle - 30), _name(parties, node.party), _NAME, label - 120, anchor=anchor, weight=600)
        amount = money(node.micros)
        drawing.amount((at, middle + 130), amount, _AMOUNT, label - 120, anchor=anchor, fill="soft")
    return starts


def _nets(
    drawing: Drawing,
    plan: _Shape,
    parties: Mapping[int, str],
    nets: Mapping[int, int],
    corner: tuple[int, int],
) -> int:
    """The right panel at `corner`; returns its height."""
    left, top = corner
    rows = _by_net(parties, nets)
    net = sum(micros for _party, micros in rows if micros > 0)
    largest = max((abs(micros) for _party, micros in rows), default=0)
    half = mul_div_down(plan.nets, 1, 2)
    _head(drawing, corner, plan.nets, f"After netting: {_count(len(rows), 'party', 'parties')}", net)
    y = top + _HEAD
    for number, micros in rows:
        colour = "gets" if micros > 0 else "pays" if micros < 0 else "soft"
        amount, room = signed_money(micros), mul_div_down(plan.nets, 11, 20)
        wide = min(width_of(amount, _NAME), room)
        drawing.text((left, y + 130), _name(parties, number), _NAME, plan.nets - wide - 120, weight=600)
        drawing.amount((left + plan.nets, y + 130), amount, _NAME, room, anchor="end", fill=colour)
        drawing.line((left + half, y + 190), (left + half, y + 350))
        if micros:
            length = max(10, mul_div_down(half, abs(micros), largest))
            drawing.bar((left + half - (length if micros < 0 else 0), y + 210), (length, 120), colour)
        y += _ROW
    if rows:
        drawing.text((left, y + 60), "\N{LEFTWARDS ARROW} pays", _AMOUNT, half, fill="soft")
        receives = "receives \N{RIGHTWARDS ARROW}"
        drawing.text((left + plan.nets, y + 60), receives, _AMOUNT, half, anchor="end", fill="soft")
        y += 160
    return y - top


def _head(drawing: Drawing, corner: tuple[int, int], width: int, heading: str, total: int) -> None:
    left, top = corner
    drawing.text((left, top + 130), heading, _HEADING, width, fill="soft")
    drawing.amount((left, top + 460), money(total), _TOTAL, width, weight=650)


def _moved(flows: Sequence[Flow]) -> list[Flow]:
    """One flow per payer and payee, without what a party pays itself."""
    sums: dict[tuple[int, int], int] = {}
    for payer, payee, micros in flows:
        if payer != payee and micros > 0:
            sums[payer, payee] = sums.get((payer, payee), 0) + micros
    return [(payer, payee, micros) for (payer, payee), micros in sorted(sums.items())]


def _by_net(parties: Mapping[int, str], nets: Mapping[int, int]) -> list[tuple[int, int]]:
    """Every party of either, who receives most first."""
    numbers = sorted({*parties, *nets})
    return sorted(((n, nets.get(n, 0)) for n in numbers), key=lambda row: (-row[1], row[0]))


def _name(parties: Mapping[int, str], number: int) -> str:
    return parties.get(number, str(number))


def _count(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
