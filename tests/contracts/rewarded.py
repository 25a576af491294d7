"""A Rewards contract beside a programme's Settlement: short words for vouchers, uses and what is given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from web3.contract import Contract
from web3.types import TxParams, TxReceipt, Wei

from counterfoil.chain.artifacts import load
from tests.contracts.programme import GAS, KEYS, Chain, Programme

ISSUER, MEMBER, OTHER = (bytes([one]) * 32 for one in (0x15, 0xA7, 0xA8))  # test key
FAR = 2**39
DOCUMENT = b"\xd0" * 32
COFFEE, BADGE = 1, 2
VOUCHER = {"id": "uint256", "account": "address", "deadline": "uint40"}
AUTHORISATION = {"id": "uint256", "account": "address", "ref": "bytes32", "deadline": "uint256"}
KINDS = {"Voucher": VOUCHER, "Use": AUTHORISATION, "GiveBack": AUTHORISATION}
REF = b"\x0f" * 32
NOBODY = "0x" + "00" * 20
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


def token(kind: int, serial: int = 0) -> int:
    return kind << 32 | serial


def compact(signature: bytes) -> tuple[bytes, bytes]:
    """EIP-2098: r, and s with the parity in its highest bit."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) % 2 << 255
    return signature[:32], s.to_bytes(32, "big")


@dataclass
class Rewarded:
    """Coffee (honoured by partner 16, three of them) and a badge that stays where it is."""

    programme: Programme
    rewards: Contract

    @property
    def chain(self) -> Chain:
        return self.programme.chain

    @property
    def partner(self) -> str:
        """The account of partner 16's signer, with gas."""
        return str(Account.from_key(KEYS[16]).address)

    def message(self, kind: str, fields: dict[str, Any], **domain: Any) -> SignableMessage:
        own = {
            "name": "Counterfoil Rewards", "version": "1", "chainId": self.chain.w3.eth.chain_id,
            "verifyingContract": self.rewards.address,
        }  # fmt: skip
        types = {kind: [{"name": name, "type": type_} for name, type_ in KINDS[kind].items()]}
        return encode_typed_data(own | domain, types, fields)

    def signed(self, kind: str, fields: dict[str, Any], key: bytes, **domain: Any) -> bytes:
        return bytes(Account.sign_message(self.message(kind, fields, **domain), key).signature)

    def voucher(self, account: str, id_: int = token(COFFEE), **changes: Any) -> dict[str, Any]:
        return {"id": id_, "account": account, "deadline": FAR} | changes

    def claiming(self, voucher: dict[str, Any], signature: bytes | None = None) -> Any:
        signature = self.signed("Voucher", voucher, ISSUER) if signature is None else signature
        return self.rewards.functions.claim(tuple(voucher.values()), *compact(signature))

    def claim(self, account: str, id_: int = token(COFFEE), **changes: Any) -> TxReceipt:
        return self.chain.send(self.claiming(self.voucher(account, id_, **changes)), self.programme.anyone)

    def authorised(self, kind: str, key: bytes, **changes: Any) -> tuple[Any, ...]:
        """The arguments of `use` or `giveBackFor`, signed with a member's key."""
        account = Account.from_key(key).address
        fields = {"id": token(COFFEE), "account": account, "ref": REF, "deadline": FAR} | changes
        signature = self.signed(kind, fields, key)
        return fields["id"], fields["account"], fields["ref"], fields["deadline"], signature

    def held(self, account: str, id_: int = token(COFFEE)) -> int:
        return int(self.rewards.functions.balanceOf(account, id_).call())

    def define(
        self, kind: int, partner: int = 16, cap: int = 3, until: int = 0, *, soulbound: bool = False
    ) -> TxReceipt:
        terms = (Account.from_key(ISSUER).address, partner, cap, until, soulbound, DOCUMENT)
        return self.chain.send(self.rewards.functions.defineReward(kind, terms), self.programme.operator)


def rewarded(programme: Programme) -> Rewarded:
    chain = programme.chain
    rewards = chain.deploy(load("Rewards"), programme.settlement.address)
    made = Rewarded(programme, rewards)
    made.define(COFFEE)
    made.define(BADGE, partner=0, cap=1_000, soulbound=True)
    if made.partner not in chain.w3.eth.accounts:
        chain.tester.add_account("0x" + KEYS[16].hex())
    for to in (made.partner, Account.from_key(MEMBER).address):
        chain.w3.eth.send_transaction({"from": chain.account(0), "to": to, "value": Wei(10**18), "gas": 21_000})
    return made


def call(made: Rewarded, what: Any, by: str | None = None) -> Any:
    """What a call would answer, or revert with."""
    sender: TxParams = {"from": by or made.programme.anyone, "gas": GAS}
    return what.call(sender)
