"""The units' own command lines, started as written: they serve, come back when killed, and stop."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brokerage.paper.server import MOST_UNSAVED_S, SAVE_S
from tests.deploy.machine import Service
from tests.faults.clicking import Clicking, patience
from tests.faults.installation import wait_until
from tests.faults.invariants import problems
from tests.faults.truth import Witness

BACK_WITHIN_S = 10.0
# The paper broker writes its orders down when it has time to; it is killed in a test of its own.
KILLED = [
    *("web", "placement", "stocks", "options", "accounts"),
    *("logins", "maint", "beat", "sweeper", "stream"),
]


@pytest.fixture(scope="module")
def witness(trader, deployment) -> Witness:
    return Witness(trader, deployment.database, trader.resets)


@pytest.fixture
def clicking(trader) -> Iterator[Clicking]:
    clicking = Clicking(trader)
    clicking.start()
    yield clicking
    clicking.end()


def kill(service: Service, *, is_back: Callable[[], object] | None = None) -> float:
    """Kill a process with `kill -9`; return how long its place was empty."""
    killed, began = service.process, time.monotonic()
    killed.kill()
    wait_until(lambda: service.process is not killed, 5, every=0.01)
    if is_back:
        wait_until(is_back, BACK_WITHIN_S * patience())
    else:
        service.forget()
        service.hear("READY=1", BACK_WITHIN_S * patience())
    return time.monotonic() - began


def test_every_process_that_is_killed_is_back_in_time_and_nothing_is_lost_or_doubled(
    deployment, trader, witness, clicking
):
    took = {}
    for name in KILLED:
        service = deployment.machine.services[name]
        is_back = deployment.is_served if name == "web" else None
        took[name] = kill(service, is_back=is_back)
        taken = len(clicking.orders)
        wait_until(lambda taken=taken: len(clicking.orders) > taken, 30)
    clicking.end()

    assert {name: s for name, s in took.items() if s > BACK_WITHIN_S * patience()} == {}
    for order in clicking.orders:
        trader.wait_until_settled(order)
    truth = witness.tell().of(clicking.orders)
    assert len({child.order for child in truth.children} & set(clicking.orders)) == len(
        set(clicking.orders)
    )
    assert problems(truth) == []
    last = trader.broadcast()
    trader.wait_for(last, "FILLED")


def test_a_paper_broker_that_is_killed_is_back_with_its_orders(deployment, trader):
    order = trader.broadcast()
    trader.wait_for(order, "FILLED")
    time.sleep(MOST_UNSAVED_S + SAVE_S)
    took = kill(deployment.machine.services["paper"])

    assert took < BACK_WITHIN_S * patience()
    assert len(trader.orders_like(order)) == len(trader.accounts)


def test_the_sweeper_tells_its_supervisor_all_the_time_that_it_lives(deployment):
    sweeper = deployment.machine.services["sweeper"]
    for _ in range(3):
        sweeper.forget()
        sweeper.hear("WATCHDOG=1", 10 * patience())


def test_no_process_knows_a_password_by_its_environment(deployment):
    secrets = [
        path.read_text().strip() for path in (deployment.machine.folder / "secrets").iterdir()
    ]
    words = [word for secret in secrets for word in secret.split("@")[0].split(":")[-1:]]
    for service in deployment.machine.services.values():
        if service.process.poll() is None:
            environment = Path(f"/proc/{service.process.pid}/environ").read_text()
            assert [word for word in words if len(word) > 12 and word in environment] == []
