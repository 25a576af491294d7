"""Payment files: pain.001.001.09 (credit transfers) and pain.008.001.08 (direct debits) of ISO 20022, pure.

As the European Payments Council's implementation guidelines of 2025 have them. The same payments give the same bytes, ids
included, so that a file sent twice is refused by the bank and not paid twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from counterfoil.core.calendar import moment
from counterfoil.core.rulebook.payment_files import DEBITS, TRANSFERS, Block, batch_of
from counterfoil.core.rulebook.payments import EURO, Account, Try

_NAMESPACE = {
    TRANSFERS: "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
    DEBITS: "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08",
}


def payment_file(kind: str, settlement: int, trial: int, blocks: Sequence[Block]) -> bytes:
    """The file of a settlement's payments of one kind; `blocks` has at least one."""
    parts = [part for block in blocks for part in block.parts]
    clearing = blocks[0].clearing
    message = batch_of(settlement, kind, trial, clearing.short)
    document = etree.Element("Document", xmlns=_NAMESPACE[kind])
    root = _add(document, "CstmrCdtTrfInitn" if kind == TRANSFERS else "CstmrDrctDbtInitn")
    header = _add(root, "GrpHdr")
    _add(header, "MsgId", message)
    _add(header, "CreDtTm", moment(max(one.at for _payment, one in parts)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _sums(header, len(parts), sum(block.micros for block in blocks))
    _add(header, "InitgPty/Nm", clearing.account.holder)
    for place, block in enumerate(blocks, 1):
        _block(_add(root, "PmtInf"), kind, f"{message}-{place}", trial, block)
    text: bytes = etree.tostring(document, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return text


def amount_text(micros: int) -> str:
    """Micros of whole minor units as banks write them: 1234560000 is 1234.56."""
    text = f"{micros:07d}"
    assert text.endswith("0000")
    return f"{text[:-6]}.{text[-6:-4]}"


def _block(info: etree._Element, kind: str, name: str, trial: int, block: Block) -> None:
    clearing = block.clearing
    sepa = clearing.currency == EURO
    _add(info, "PmtInfId", name)
    _add(info, "PmtMtd", "TRF" if kind == TRANSFERS else "DD")
    _add(info, "BtchBookg", "false")  # one line of the statement for each payment
    _sums(info, len(block.parts), block.micros)
    if sepa:
        service = _add(info, "PmtTpInf")
        _add(service, "SvcLvl/Cd", "SEPA")
        if kind == DEBITS:
            _add(service, "LclInstrm/Cd", block.scheme)
            _add(service, "SeqTp", "RCUR")
    on = block.on.isoformat()
    _add(info, "ReqdExctnDt/Dt" if kind == TRANSFERS else "ReqdColltnDt", on)
    own, other = ("Dbtr", "Cdtr") if kind == TRANSFERS else ("Cdtr", "Dbtr")
    _add(info, f"{own}/Nm", clearing.account.holder)
    _add(info, f"{own}Acct/Id/IBAN", clearing.account.iban)
    _agent(info, f"{own}Agt", clearing.account)
    _add(info, "ChrgBr", "SLEV" if sepa else "SHAR")
    if kind == DEBITS:
        scheme = _add(info, "CdtrSchmeId/Id/PrvtId/Othr")
        _add(scheme, "Id", clearing.creditor_id)
        _add(scheme, "SchmeNm/Prtry", "SEPA")
    for payment, one in block.parts:
        _transaction(info, kind, other, payment.end_to_end(trial), one, f"settlement {payment.settlement}")


def _transaction(info: etree._Element, kind: str, other: str, name: str, one: Try, text: str) -> None:
    account = one.cash.account
    assert account is not None
    made = _add(info, "CdtTrfTxInf" if kind == TRANSFERS else "DrctDbtTxInf")
    _add(made, "PmtId/EndToEndId", name)
    amount = _add(made, "Amt/InstdAmt" if kind == TRANSFERS else "InstdAmt", amount_text(one.micros))
    amount.set("Ccy", one.clearing.currency)
    if kind == DEBITS:
        assert one.cash.mandate is not None
        mandate = _add(made, "DrctDbtTx/MndtRltdInf")
        _add(mandate, "MndtId", one.cash.mandate.id)
        _add(mandate, "DtOfSgntr", one.cash.mandate.signed_on.isoformat())
        _agent(made, "DbtrAgt", account)
    elif account.bic is not None:
        _agent(made, "CdtrAgt", account)
    _add(made, f"{other}/Nm", account.holder)
    _add(made, f"{other}Acct/Id/IBAN", account.iban)
    _add(made, "RmtInf/Ustrd", f"{text} {name}")


def _agent(parent: etree._Element, name: str, account: Account) -> None:
    """The account's bank; where only the IBAN is known the guidelines want this word."""
    bank = _add(parent, f"{name}/FinInstnId")
    if account.bic is not None:
        _add(bank, "BICFI", account.bic)
    else:
        _add(bank, "Othr/Id", "NOTPROVIDED")


def _sums(parent: etree._Element, count: int, micros: int) -> None:
    _add(parent, "NbOfTxs", str(count))
    _add(parent, "CtrlSum", amount_text(micros))


def _add(parent: etree._Element, path: str, text: str | None = None) -> etree._Element:
    """Elements one in another; the last one has the text."""
    for name in path.split("/"):
        parent = etree.SubElement(parent, name)
    parent.text = text
    return parent
