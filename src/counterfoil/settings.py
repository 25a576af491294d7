"""Settings, read here only: environment variables with the prefix COUNTERFOIL_; the command line overrides them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a gateway is started with. Left alone, it is a sandbox on SQLite with the embedded chain."""

    model_config = SettingsConfigDict(env_prefix="COUNTERFOIL_")

    home: Path = Path("counterfoil-home")
    """Keys, the embedded chain, the last checkpoint signed, and the books if no database is named."""
    database: str | None = None
    """SQLAlchemy URL of SQLite or PostgreSQL; default: books.db in the home folder."""
    rpc: str | None = None
    """URL of an EVM node, or of several with commas between them, which must agree; default: the embedded chain."""
    fee_cap_gwei: int = 500
    """What a tx may offer per gas, at most: above it a settlement waits."""
    port: int = 8080
    one_core: bool = True
    """Keep the gateway's threads on one core (Linux): they share one interpreter lock, and hand it on faster there."""
    zone: str = "Europe/Warsaw"
    """IANA zone of a new programme: when a day ends."""
    livemode: bool = False
    """A live programme has no test clock, no test money and no open page."""
    operator_key: SecretStr | None = None
    """The operator's API key; default: made once, kept in the home folder."""
    settlement_token: str | None = None
    """Address of the ERC-20 with 6 decimals to settle in; a sandbox deploys test money instead."""
    wallet_page: str = "http://localhost:8080/wallet"
    """Where members sign that an account is their own: messages are bound to its domain. A live programme needs https."""
    window_seconds: int | None = None
    """Challenge window of a new settlement contract; default: 3 days live, 0 in a sandbox."""
    answer_seconds: int = 2 * 86_400
    """In a new contract: how long the quorum has to confirm a header that was challenged."""
    delay_seconds: int = 7 * 86_400
    """In a new contract: from a change that the quorum signed to when it can be made."""
    bond_micros: int = 1_000_000_000
    """In a new contract: what a challenge costs the partner if the quorum confirms the header."""
    closed_loop: bool = False
    """In a new contract: points only go to accounts that have claimed some before."""
    guardian: Annotated[str | None, Field(pattern=r"^0x[0-9a-fA-F]{40}$")] = None
    """In a new contract: the address that can stop settling for seven days; default: nobody."""
