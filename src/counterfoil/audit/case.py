"""The case: all evidence and chain facts of one audit, and what checks leave for later ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from counterfoil.audit.evidence import Folder, Programme, Signed, settlement_name
from counterfoil.audit.onchain import Chain
from counterfoil.audit.report import Finding
from counterfoil.audit.terminal import Progress, silent


class Lacks(Exception):
    """What a check needs and does not have."""

    def __init__(self, needs: str) -> None:
        super().__init__(needs)
        self.needs = needs


@dataclass(slots=True)
class Case:
    """`headers` are settlements 1, 2, ... of the export up to the first that is missing.

    `leaves` is the log's leaf data, 32 bytes each, as far as it could be read; `good_leaves` of them are as the headers
    and checkpoints say, or None until the log was checked.
    """

    public: Folder
    sealed: Folder | None
    counterfoils: Path | None
    chain: Chain
    programme: Programme
    headers: dict[int, Signed]
    progress: Progress = silent
    leaves: bytearray = field(default_factory=bytearray)
    good_leaves: int | None = None
    roots: dict[int, bytes] = field(default_factory=dict)  # of the log, by size, where a header or checkpoint stands
    included: int = 0  # the last settlement whose entries are those of the log
    handled: int = 0  # the last settlement whose handles fit its entries
    lacks: dict[str, str] = field(default_factory=dict)  # by check, set while it runs

    @property
    def log_size(self) -> int:
        """Leaves read."""
        return len(self.leaves) // 32

    def leaf(self, index: int) -> bytes | None:
        """Leaf data, if it was read."""
        return bytes(self.leaves[32 * index : 32 * index + 32]) if 0 <= index < self.log_size else None

    def sealed_folder(self) -> Folder:
        """The sealed export; raises Lacks."""
        if self.sealed is None:
            raise Lacks("--sealed DIR, the sealed export")
        return self.sealed

    def trusted(self, number: int) -> bool:
        """Whether the export's header is the final one, or none is final yet."""
        known = self.chain.final.get(number)
        return known is None or known[0] == self.headers[number].hash

    def require(self, number: int) -> Signed:
        """The header of a settlement that later checks may build on; raises Lacks."""
        if number not in self.headers or not self.trusted(number):
            raise Lacks(f"{settlement_name(number, 'header.json')} as it is final on chain")
        return self.headers[number]

    def finding(self, check: str, message: str, number: int, **more: int | None) -> Finding:
        """A finding that settlement `number`'s header convicts: the one on chain if there is one."""
        known = self.chain.final.get(number)
        header = known[0] if known else self.headers[number].hash if number in self.headers else None
        return Finding(check, message, number, header=header, **more)

    def first_leaf(self, number: int) -> int:
        """Where settlement `number` begins in the log."""
        return self.headers[number - 1].header.closing.log_size if number > 1 else 0
