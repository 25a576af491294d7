"""The audit of exports just fetched, as a report in the shape of --json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from counterfoil.audit.auditor import audit
from counterfoil.chain.client import connect


def audited(export: Path, sealed: Path, counterfoils: Path, rpc: str, settlement: str) -> dict[str, Any]:
    """Checks and findings; raises Unreadable, Unreachable."""
    return audit(export, sealed, counterfoils, connect(rpc), settlement).as_json()
