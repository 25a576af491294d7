"""The compiled contracts, committed, so that running needs no compiler and no Node.

Each JSON here is written by `scripts/compile` and rebuilt byte for byte by `scripts/compile --check`; none is
edited by hand. This room owns reading them and imports nothing of Counterfoil. Decided against: building at
install time, which would make a Solidity compiler part of every deployment.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from eth_typing import ABI


@dataclass(frozen=True, slots=True)
class Artifact:
    """A contract as the compiler left it."""

    abi: ABI
    bytecode: bytes
    """Creation code, to which the constructor's encoded arguments are appended."""
    runtime: bytes
    """The code found on chain, but with zeros where immutables are filled in at deployment."""
    immutables: tuple[tuple[int, int], ...]
    """Where those zeros are in `runtime`: (start, length)."""


@cache
def load(name: str) -> Artifact:
    """The artefact of the contract called `name`: "Settlement", "Points" or "TestMoney"."""
    content = json.loads(files(__package__).joinpath(f"{name}.json").read_text("utf-8"))
    return Artifact(
        abi=cast("ABI", content["abi"]),
        bytecode=bytes.fromhex(content["bytecode"][2:]),
        runtime=bytes.fromhex(content["runtime"][2:]),
        immutables=tuple((start, length) for start, length in content["immutables"]),
    )
