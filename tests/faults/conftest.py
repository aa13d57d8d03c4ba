"""One installation per module, and the check with which every test ends."""

import os
import random
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.canary import leaked
from tests.faults.installation import HURRIED, Installation
from tests.faults.invariants import closed_too_much, problems
from tests.faults.trader import Trader
from tests.faults.truth import Witness

SEED = os.environ.get("TRADESWIM_FAULT_SEED") or secrets.token_hex(4)
os.environ["TRADESWIM_FAULT_SEED"] = SEED  # the processes of pytest-xdist inherit it
LONGEST_TEST_S = 240


def pytest_report_header() -> str:
    return f"faults: TRADESWIM_FAULT_SEED={SEED}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(LONGEST_TEST_S))


@pytest.fixture
def dice(request) -> random.Random:
    """All that is random in a test; the seed decides it."""
    return random.Random(f"{SEED} {request.node.nodeid}")  # noqa: S311 - no secret comes of it


@pytest.fixture(scope="module")
def installation(request, tmp_path_factory) -> Iterator[Installation]:
    """The module's installation, with its SETTINGS beside those that make it hurry."""
    settings = {**HURRIED, **getattr(request.module, "SETTINGS", {})}
    installation = Installation(tmp_path_factory.mktemp("faults") / "home", settings=settings)
    yield installation
    installation.end()


@pytest.fixture(scope="module")
def trader(request, installation) -> Iterator[Trader]:
    """Who clicks, of the module's kind; when it is over, no secret may be found in what is left."""
    kind = getattr(request.module, "TRADER", Trader)
    trader = kind(installation, installation.wait_until_ready())
    yield trader
    assert leaked(installation, trader) == []


@pytest.fixture(scope="module")
def witness(installation, trader) -> Witness:
    return Witness(trader, installation.database, trader.resets)


@pytest.fixture
def holds(trader, witness) -> Callable[..., None]:
    """Wait until these orders are settled; nothing may be broken then in their accounts."""

    def check(*orders: int, within: float = 45) -> None:
        for order in orders:
            trader.wait_until_settled(order, within)
        truth = witness.tell().of(orders)
        assert [*problems(truth), *closed_too_much(truth)] == []

    return check
