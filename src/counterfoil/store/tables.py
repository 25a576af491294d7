"""The tables. Points and micros are BIGINT, instants microseconds, names of things their ids; migrations/ creates them.

Rows of `entry`, `entry_group`, `log_group`, `checkpoint`, `request` are written once. Only remainders change: of lots,
debts, holds, `effect.refunded`, a member's sums (which an earn needs without its lots), and the fences.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata = MetaData()
OPEN = "available > 0 OR held > 0 OR pending > 0"  # of a lot


def _key(name: str, kind: type[BigInteger | Integer | SmallInteger | Text]) -> Column[object]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _big(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _small(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, SmallInteger, nullable=null)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _bytes(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


programme = Table(
    "programme", metadata, _key("id", SmallInteger), _bytes("programme"), _text("zone"),
    Column("livemode", Boolean, nullable=False), Column("open_settlement", Integer, nullable=False),
    Column("revision", Integer, nullable=False),  # raised by every change of parties and contracts
    _big("clock", null=True),  # of a sandbox
)  # fmt: skip
party = Table(
    "party", metadata, _key("id", SmallInteger), Column("name", Text, nullable=False, unique=True),
    _text("signer", null=True), _big("floor_micros"), _big("created_at"), _text("status"),
    _big("collateral_micros", null=True),  # of a sandbox: what it deposits, if not enough
)  # fmt: skip
contract = Table(
    "contract", metadata, _key("partner", SmallInteger), _key("version", SmallInteger), _big("since"),
    _big("face_micros"), _big("fee_micros"), Column("valid_days", Integer, nullable=True),
    _small("breakage_operator_bp"), _small("issuance_bp"), Column("fee_refundable", Boolean, nullable=False),
    _big("redemption_micros", null=True), Column("pending_days", Integer, nullable=False),
    Column("valid_months", Integer, nullable=True), _text("cliff", null=True), _text("clawback"),
    _big("credit_limit_micros", null=True), _text("redemption_budget", null=True),
)  # fmt: skip
currency = Table(  # a brand's own; the coalition's is 1 and has no row
    "currency",
    metadata,
    _key("id", SmallInteger),
    Column("name", Text, nullable=False, unique=True),
    _small("issuer"),
)
credential = Table(
    "credential", metadata, _key("prefix", Text), _bytes("hash"), _small("party"), _text("scopes"),
    _big("created_at"), _big("revoked_at", null=True),
)  # fmt: skip
member = Table(
    "member", metadata, _key("id", BigInteger), _bytes("secret"), _big("created_at"),
    _big("available"), _big("held"), _big("debt"), _big("next_due", null=True), Column("frozen", Boolean, nullable=False),
    _big("merged_into", null=True),  # of a member that is another's now: that one, never itself merged
    Index("member_due", "next_due", postgresql_where=text("next_due IS NOT NULL"),
          sqlite_where=text("next_due IS NOT NULL")),
    Index("member_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL"),
          sqlite_where=text("merged_into IS NOT NULL")),
    # every entry changes a row here: with room beside it the new version needs no new index entries (a HOT update)
    postgresql_with={"fillfactor": 50},
)  # fmt: skip
identity = Table(  # a partner's own name for a member: erasable, never in an entry
    "identity", metadata, _key("party", SmallInteger), _key("reference", Text), _big("member"),
)  # fmt: skip

fence = Table("fence", metadata, _key("shard", SmallInteger), _big("number"), _bytes("hash"))
entry_group = Table(
    "entry_group", metadata, _key("id", BigInteger), _bytes("root"), _bytes("hash"), Column("count", Integer, nullable=False),
    _big("committed_at"), Column("settle_by", Integer, nullable=False),
)  # fmt: skip
entry = Table(
    "entry", metadata, _key("id", BigInteger), _bytes("hash"), _bytes("body"), _small("verb"), _small("partner"),
    _big("member"), _big("other", null=True), _text("external_id", null=True),
    Index("entry_partner", "partner", "id"), Index("entry_member", "member", "id"),
    Index("entry_other", "other", "id", postgresql_where=text("other IS NOT NULL"),
          sqlite_where=text("other IS NOT NULL")),
)  # fmt: skip
lot = Table(
    "lot", metadata, _key("entry", BigInteger), _key("index", SmallInteger), _big("member"), _big("points"),
    _small("currency"), _small("issuer"), _big("earned_at"), _big("expires_at"), _big("available_at"),
    _bytes("funding"), _big("origin_entry"), _small("origin_index"), _big("prepaid"),
    _big("available"), _big("held"), _big("burned"), _big("expired"), _big("pending"),
    Column("withdrawn", BigInteger, nullable=False, server_default="0"),
    Index("lot_withdrawn", "currency", "expires_at", postgresql_where=text("withdrawn > 0"),
          sqlite_where=text("withdrawn > 0")),
    Index("lot_open", "member", postgresql_where=text(OPEN), sqlite_where=text(OPEN)),
    Index("lot_origin", "origin_entry", postgresql_where=text("origin_entry <> 0"),
          sqlite_where=text("origin_entry <> 0")),
)  # fmt: skip
hold = Table(
    "hold", metadata, _key("entry", BigInteger), _big("member"), _small("partner"), _big("until"), _text("state"),
    _big("cost_micros", null=True),  # of a voucher: a hold of points already used
    Index("hold_open", "member", postgresql_where=text("state = 'open'"), sqlite_where=text("state = 'open'")),
)  # fmt: skip
debt = Table(
    "debt", metadata, _key("entry", BigInteger), _key("index", SmallInteger), _big("member"), _big("points"),
    _small("currency"), _small("issuer"), _big("fee_micros"), _big("left"),
    Index("debt_open", "member", postgresql_where=text('"left" > 0'), sqlite_where=text('"left" > 0')),
)  # fmt: skip
request = Table(
    "request", metadata, _key("partner", SmallInteger), _key("key", Text), _bytes("digest"),
    Column("ok", Boolean, nullable=False), _big("entry"), _text("facts"),
)  # fmt: skip
effect = Table(
    "effect", metadata, _key("partner", SmallInteger), _key("kind", Text), _key("external_id", Text), _big("entry"),
    _big("refunded"),
)  # fmt: skip

log_head = Table(  # the sequencer's fence: size and right edge of the log
    "log_head", metadata, _key("id", SmallInteger), _big("size"), _bytes("peaks"),
)  # fmt: skip
log_group = Table(
    "log_group", metadata, _key("group", BigInteger), Column("first", BigInteger, nullable=False, unique=True)
)
checkpoint = Table("checkpoint", metadata, _key("size", BigInteger), _bytes("root"))

settlement = Table(
    "settlement", metadata, _key("number", Integer), _text("state"), _big("closed_at"), _big("first_leaf"),
    _big("log_size"), _bytes("log_root"), _text("totals", null=True), _text("header", null=True),
    _text("manifest", null=True), _text("tx", null=True), _text("alert", null=True),
)  # fmt: skip
signature = Table(
    "signature", metadata, _key("settlement", Integer), _key("partner", SmallInteger), _bytes("header"),
    _bytes("signature"),
)  # fmt: skip
liability = Table(  # a leaf stands in the trees of settlements [since, until)
    "liability", metadata, _key("currency", SmallInteger), _key("member", BigInteger), _key("since", Integer),
    Column("until", Integer, nullable=True), _big("place"), _big("balance"), _bytes("salt"),
)  # fmt: skip
claim_leaf = Table(  # what was ever withdrawn to an account: in the trees of settlements [since, until)
    "claim_leaf", metadata, _key("account", Text), _key("currency", SmallInteger), _key("since", Integer),
    Column("until", Integer, nullable=True), _big("cumulative"),
)  # fmt: skip
invoice = Table(  # a document of a settlement, whole, as it was issued: never changed
    "invoice", metadata, _key("place", BigInteger), Column("number", Text, nullable=False, unique=True), _text("kind"),
    Column("settlement", Integer, nullable=False), _text("entity"), _text("body"), _bytes("hash"),
    Index("invoice_settlement", "settlement", "place"),
)  # fmt: skip
invoice_partner = Table(  # whose lines are on it: those may read it
    "invoice_partner", metadata, _key("partner", SmallInteger), _key("place", BigInteger),
)  # fmt: skip
counter = Table(  # gapless: `invoices`, `settlements` invoiced, and `series:NAME` of each series of numbers
    "counter", metadata, _key("name", Text), _big("last"),
)  # fmt: skip
record = Table(  # what the rulebook remembers beside entries: see records.py
    "record", metadata, _key("kind", Text), _key("name", Text), _text("data"),
)  # fmt: skip
act = Table(  # what is told of an act of the operator beside its entry; a member's reasons go with the member
    "act", metadata, _key("entry", BigInteger), _small("about"), _text("verb"), _text("actor"), _small("role"),
    _small("partner"), _big("member"), _text("reason"), _bytes("salt"), _text("before", null=True), _text("after", null=True),
    Index("act_member", "member", postgresql_where=text("member <> 0"), sqlite_where=text("member <> 0")),
)  # fmt: skip
memory = Table(
    "memory", metadata, _key("name", Text), _text("value")
)  # what the chain side must remember; the last audit
