"""Status reports on our files: pain.002.001.10 of ISO 20022, of which only rejections matter here; pure."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.core.rulebook.payments import Rejection
from counterfoil.features.bank.document import Node, document

VERSION = "pain.002.001.10"
_REJECTED = "RJCT"


def rejections(xml: bytes) -> list[Rejection]:
    """What the bank turned down, of the narrowest that it names; raises BankFileUnreadable."""
    root = document(xml, VERSION)
    report = root.one("CstmrPmtStsRpt")
    group = report.one("OrgnlGrpInfAndSts")
    file = group.one("OrgnlMsgId").text
    blocks = report.all("OrgnlPmtInfAndSts")
    found = [one for block in blocks for one in _block(block, file)]
    if not found and group.word("GrpSts") == _REJECTED:
        return [Rejection(file, reason=_reason(group))]
    return found


def _block(block: Node, file: str) -> Iterator[Rejection]:
    name, some = block.word("OrgnlPmtInfId"), block.all("TxInfAndSts")
    if not some and block.word("PmtInfSts") == _REJECTED:
        yield Rejection(file, name, reason=_reason(block))
    for one in some:
        if one.word("TxSts") == _REJECTED:
            yield Rejection(file, name, one.one("OrgnlEndToEndId").text, _reason(one))


def _reason(node: Node) -> str | None:
    return node.word("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
