"""What tests of cash by bank share: accounts, terms, statements as a bank writes them, the published schemas."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree
from stdnum.iso7064 import mod_97_10

from counterfoil.features.bank.pain import amount_text
from tests.gateway.stand import Stand, good

OWN = "DE89370400440532013000"
IBANS = {"A": "NL91ABNA0417164300", "B": "FR1420041010050500013M02606", "C": "BE68539007547034"}
OWED, PAID_OUT = 11_000_000, 3_000_000  # by A, who earns 1000 points; to B, where 300 are burned
TERMS = {
    "account": {"holder": "Coalition", "iban": OWN, "bic": "COBADEFFXXX"}, "creditor_id": "DE98ZZZ09999999999",
}  # fmt: skip
MANDATE = {"id": "M-1", "signed_on": "2025-01-05"}
SCHEMAS = {"pain.001.001.09": "sepaxml/schemas", "pain.008.001.08": "sepaxml/schemas", "camt.053.001.08": "camt053/xsd"}


@lru_cache
def schema(name: str) -> Any:
    """A schema as ISO 20022 publishes it, out of a package whose code is not imported."""
    package, folder = SCHEMAS[name].split("/")
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return etree.XMLSchema(file=str(Path(found.origin).parent / folder / f"{name}.xsd"))


def valid(xml: bytes, name: str) -> None:
    """Raises DocumentInvalid with line and reason."""
    schema(name).assertValid(etree.fromstring(xml))


def by_bank(stand: Stand, *names: str, mandate: str = "", **terms: Any) -> None:
    """The operator's terms, and partners that are paid by bank; those in `mandate` are collected from."""
    good(stand.post("operator", "bank", {**TERMS, **terms}))
    for name in names:
        body = {"cash": "bank", "account": {"holder": f"Brand {name}", "iban": IBANS[name]}}
        body |= {"mandate": MANDATE} if name in mandate else {}
        good(stand.post("operator", f"partners/{stand.sides[name].id}/cash", body))


@dataclass(frozen=True)
class Entry:
    """A line of a statement: micros, + in; `end_to_end` None: the bank gives no details."""

    micros: int
    end_to_end: str | None = "NOTPROVIDED"
    iban: str = IBANS["A"]
    text: str = ""
    reason: str = ""
    status: str = "BOOK"
    on: str = "2025-12-04"
    batch: str = ""
    currency: str = "EUR"

    def xml(self) -> str:
        side, sign = ("Dbtr", "CRDT") if self.micros > 0 else ("Cdtr", "DBIT")
        amount = f'<Amt Ccy="{self.currency}">{amount_text(abs(self.micros))}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        text = f"<RmtInf><Ustrd>{self.text}</Ustrd></RmtInf>" if self.text else ""
        reason = f"<RtrInf><Rsn><Cd>{self.reason}</Cd></Rsn></RtrInf>" if self.reason else ""
        details = (
            f"<TxDtls><Refs><EndToEndId>{self.end_to_end}</EndToEndId></Refs>{amount}<RltdPties><{side}><Pty><Nm>X</Nm>"
            f"</Pty></{side}><{side}Acct><Id><IBAN>{self.iban}</IBAN></Id></{side}Acct></RltdPties>{text}{reason}</TxDtls>"
            if self.end_to_end is not None
            else ""
        )
        batch = f"<Btch><PmtInfId>{self.batch}</PmtInfId></Btch>" if self.batch else ""
        inside = f"<NtryDtls>{batch}{details}</NtryDtls>" if batch + details else ""
        return f"<Ntry>{amount}<Sts><Cd>{self.status}</Cd></Sts><BookgDt><Dt>{self.on}</Dt></BookgDt><BkTxCd/>{inside}</Ntry>"


def statement(name: str, *entries: Entry, account: str = OWN, opening: int = 10**12) -> bytes:
    """A statement with its balances, as the schema has it, an element a line."""
    closing = opening + sum(one.micros for one in entries if one.status == "BOOK")
    balances = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount_text(micros)}</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2025-12-04</Dt></Dt></Bal>"
        for kind, micros in (("OPBD", opening), ("CLBD", closing))
    )
    xml = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr>'
        f"<MsgId>{name}</MsgId><CreDtTm>2025-12-05T06:00:00Z</CreDtTm></GrpHdr><Stmt><Id>{name}</Id>"
        f"<Acct><Id><IBAN>{account}</IBAN></Id></Acct>{balances}{''.join(one.xml() for one in entries)}</Stmt>"
        "</BkToCstmrStmt></Document>"
    )
    made = xml.replace("><", ">\n<").encode()
    valid(made, "camt.053.001.08")
    return made


def sent(stand: Stand, xml: bytes, kind: str = "statements", **params: Any) -> Any:
    """The operator sends what came from the bank: the answer."""
    headers = {**stand.operator, "Content-Type": "application/xml"}
    return stand.client.post(f"/v1/bank/{kind}", content=xml, headers=headers, params=params)


def results(stand: Stand, name: str, *entries: Entry) -> list[str]:
    """What became of each line of a statement."""
    told = good(sent(stand, statement(name, *entries)))
    return [one["result"] for one in told["statements"][0]["entries"]]


def payment(stand: Stand, name: str, who: str = "operator") -> dict[str, Any]:
    """A payment by id."""
    found = stand.read(who, f"settlements/{name.partition('-')[0]}/payments")["data"]
    one: dict[str, Any] = next(one for one in found if one["id"] == name)
    return one


def played(one: Stand) -> None:
    """A settlement that is final."""
    member = one.member()
    one.earn("A", member, 1_000)
    one.burn("B", member, 300)
    assert one.settle()["state"] == "final"


def german(bank_number: int) -> str:
    """An IBAN of Germany."""
    body = f"{bank_number:018d}"
    return "DE" + mod_97_10.calc_check_digits(body + "DE") + body
