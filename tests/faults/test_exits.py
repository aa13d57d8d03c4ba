"""Exits of sets in 45 accounts: pressed often, in parts, together, badly answered, cut off."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.faults.closer import Closer, legs_of, negative
from tests.faults.installation import wait_until

TRADER = Closer
ACCOUNTS = 45
SETTINGS = {"DEMO_ACCOUNTS": str(ACCOUNTS)}
CLICKS, THREADS = 10, 4
PUTS = (0, 1)
SLOW_MS = 1500


@pytest.fixture(autouse=True)
def _clear(installation, trader) -> None:
    installation.wait_until_whole()
    trader.clear()


def test_ten_clicks_close_45_accounts_once_with_exactly_what_was_opened(trader, holds):
    """F51."""
    placed = trader.open()
    since, limit = trader.last_order(), trader.natural(placed)
    clicks = [str(uuid4()) for _ in range(CLICKS // 2)] * 2
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(
            threads.map(
                lambda click: trader.press(placed, click, order_type="LIMIT", limit=limit), clicks
            )
        )

    assert sorted(one.status_code for one in answers) == [200] * (CLICKS - 1) + [201]
    (closing,) = {one.json()["id"] for one in answers}
    found = trader.wait_until_flat(placed)
    orders = trader.closings(since)
    assert len(orders) == ACCOUNTS == len({one["account"] for one in orders})
    assert [legs_of(one) for one in orders] == [negative(placed.legs)] * ACCOUNTS
    assert {one["orderType"] for one in orders} == {"NET_DEBIT"}
    assert not any(trader.held(placed).values())
    assert [row["is_flat"] for row in found["accounts"]] == [True] * ACCOUNTS
    again = trader.press(placed, order_type="LIMIT", limit=limit)
    assert (again.status_code, again.json()["code"]) == (409, "already_flat")
    holds(placed.order, closing)


def test_closes_that_are_all_hung_up_on_are_found_and_leave_everything_flat(trader, holds):
    """F17, for exits."""
    placed = trader.open()
    since = trader.last_order()
    trader.fault_all("drop_after", ACCOUNTS)
    closing = trader.exit(placed)

    trader.wait_until_flat(placed)
    assert len(trader.closings(since)) == ACCOUNTS
    assert not any(trader.held(placed).values())
    holds(placed.order, closing)


def test_a_set_is_exited_by_halves_and_in_single_accounts(trader, holds):
    first, some = trader.accounts[0], trader.accounts[:5]
    placed = trader.open(some, contracts=2)
    since = trader.last_order()
    half = trader.exit(placed, percent=50)
    trader.wait_until_over(placed)
    assert trader.held(placed) == dict.fromkeys(some, placed.times(1))
    assert not trader.get(f"sets/{placed.set}/")["flat_at"]

    alone = trader.exit(placed, accounts=[first])
    trader.wait_until_over(placed)
    assert trader.held(placed) == dict.fromkeys(some[1:], placed.times(1))

    rest = trader.exit(placed)
    trader.wait_until_flat(placed)
    assert not any(trader.held(placed).values())
    assert [legs_of(one) for one in trader.closings(since)] == [negative(placed.legs)] * 10
    holds(placed.order, half, alone, rest)


def test_two_sets_that_share_legs_are_exited_together_without_closing_anything_twice(trader, holds):
    condor = trader.open()
    puts = trader.open(legs=PUTS)
    since = trader.last_order()
    answers = _exit_together(trader, (condor, puts))

    trader.wait_until_flat(condor)
    trader.wait_until_flat(puts)
    orders = trader.closings(since)
    assert not any(trader.held(condor).values())
    assert sum(legs_of(one) == negative(condor.legs) for one in orders) == ACCOUNTS
    assert sum(legs_of(one) == negative(puts.legs) for one in orders) == ACCOUNTS
    assert len(orders) == 2 * ACCOUNTS
    holds(condor.order, puts.order, *answers)


def test_two_sets_that_share_legs_never_ask_together_for_more_than_is_held(trader, holds):
    """Of the legs that both have, every account holds only one unit any more."""
    condor, puts = trader.open(), trader.open(legs=PUTS)
    since, sets = trader.last_order(), (condor, puts)
    trader.put(dict.fromkeys(trader.accounts, condor.legs))
    answers = _exit_together(trader, sets)

    for placed in sets:
        rows = trader.wait_until_over(placed)
        assert {row["state"] for row in rows.values()} == {"DONE"}
    closed: Counter[str] = Counter()
    for one in trader.closings(since):
        for symbol, quantity in legs_of(one).items():
            closed[symbol] += quantity
    assert closed == negative(condor.times(ACCOUNTS))
    assert not any(trader.held(condor).values())
    holds(condor.order, puts.order, *answers)


def _exit_together(trader, sets) -> list[int]:
    terms = [{"order_type": "LIMIT", "limit": trader.natural(one)} for one in sets]
    with ThreadPoolExecutor(len(sets)) as threads:
        answers = list(threads.map(lambda one, body: trader.press(one, **body), sets, terms))
    assert [one.status_code for one in answers] == [201] * len(sets)
    return [one.json()["id"] for one in answers]


def test_45_closes_in_flight_survive_the_kill_of_their_worker(installation, trader, holds, dice):
    """F10, for exits: those that were lost are proved absent and left to the agent."""
    lost = dice.randint(5, 20)
    placed = trader.open()
    since, seen = trader.last_order(), trader.last_request()
    for account in trader.accounts[:lost]:
        trader.fault("drop_before", account, delay_ms=SLOW_MS)
    trader.slow_down(ACCOUNTS - lost, SLOW_MS)
    closing = trader.exit(placed)
    wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 10, every=0.02)
    installation.kill("placement")

    rows = trader.wait_until_over(placed)
    left = {name for name, row in rows.items() if row["state"] == "RESIDUAL"}
    assert left == set(trader.accounts[:lost])
    assert trader.held(placed) == {name: placed.times(1) for name in left}
    assert len(trader.closings(since)) == ACCOUNTS - lost
    again = trader.exit(placed)
    trader.wait_until_flat(placed)
    assert len(trader.closings(since)) == ACCOUNTS
    holds(placed.order, closing, again)


@pytest.mark.parametrize("point", ["after the plan", "after the claim", "after the answers"])
def test_an_exit_survives_the_death_of_its_worker(installation, trader, holds, point):
    """F9, F11, for exits: what was never sent may be left to the agent, who presses again."""
    placed = trader.open()
    since = trader.last_order()
    armed = installation.arm(point)
    closings = [trader.exit(placed)]
    installation.wait_for_strike(armed)

    rows = trader.wait_until_over(placed)
    if any(row["state"] == "RESIDUAL" for row in rows.values()):
        assert point == "after the claim"
        closings.append(trader.exit(placed))
    trader.wait_until_flat(placed)
    orders = trader.closings(since)
    assert [legs_of(one) for one in orders] == [negative(placed.legs)] * ACCOUNTS
    assert not any(trader.held(placed).values())
    holds(placed.order, *closings)
