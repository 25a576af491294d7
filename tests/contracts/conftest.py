from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

from counterfoil.chain.artifacts import Artifact
from tests.contracts.claims import Tree, Wallets, member
from tests.contracts.programme import Chain, Programme, deployed
from tests.contracts.rewarded import MEMBER, Rewarded, rewarded


@pytest.fixture(scope="session")
def shared_chain() -> Chain:
    tester = EthereumTester(PyEVMBackend())
    return Chain(Web3(EthereumTesterProvider(tester)), tester)


@pytest.fixture(scope="session")
def large() -> Chain:
    """A chain whose blocks take more than a tx may ask for."""
    genesis = PyEVMBackend.generate_genesis_params(overrides={"gas_limit": 100_000_000})
    tester = EthereumTester(PyEVMBackend(genesis_parameters=genesis))
    return Chain(Web3(EthereumTesterProvider(tester)), tester)


@pytest.fixture(scope="session")
def shared_programme(shared_chain: Chain) -> Programme:
    return deployed(shared_chain)


@pytest.fixture
def programme(shared_programme: Programme) -> Iterator[Programme]:
    """Deployed once; each test leaves the chain as it found it."""
    tester = shared_programme.chain.tester
    before = tester.take_snapshot()
    yield shared_programme
    tester.revert_to_snapshot(before)


@pytest.fixture
def chain(programme: Programme) -> Chain:
    return programme.chain


@pytest.fixture
def wallets(programme: Programme) -> Wallets:
    """Four members withdrew: 100, 25 and 15 of currency 1, 7 of currency 7."""
    made = Wallets(programme, Tree([(member(0), 1, 100)]))
    made.withdraw([(member(0), 1, 100), (member(1), 1, 25), (member(2), 7, 7), (member(3), 1, 15)])
    return made


def for_tests(name: str) -> Artifact:
    """An artefact that tests alone have."""
    content = json.loads((Path(__file__).parent / f"artifacts/{name}.json").read_text())
    code = bytes.fromhex(content["bytecode"][2:])
    return Artifact(content["abi"], code, bytes.fromhex(content["runtime"][2:]), ())


@pytest.fixture(scope="session")
def odd_money() -> Artifact:
    """A settlement token with bad habits."""
    return for_tests("OddMoney")


@pytest.fixture(scope="session")
def purse() -> Artifact:
    """An account that is a contract."""
    return for_tests("Purse")


@pytest.fixture
def made(programme: Programme) -> Rewarded:
    return rewarded(programme)


@pytest.fixture
def holder() -> str:
    """The account of whoever holds rewards."""
    return str(Account.from_key(MEMBER).address)
