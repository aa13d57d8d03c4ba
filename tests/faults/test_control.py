"""Cancel, replace, freeze and close everything in 45 accounts, while the broker does as it likes."""

from collections import Counter
from typing import Any

import pytest

from tests.faults.closer import Closer, legs_of, negative
from tests.faults.installation import wait_until
from tests.faults.trader import SHARE

TRADER = Closer
ACCOUNTS = 45
SETTINGS = {"DEMO_ACCOUNTS": str(ACCOUNTS)}
CALLS = (2, 3)
FAR_AWAY, NEARER, AT_ONCE = "8.50", "9.00", "10.50"


@pytest.fixture(autouse=True)
def _clear(installation, trader) -> None:
    installation.wait_until_whole()
    trader.clear()


@pytest.fixture
def working(trader):
    """Broadcast shares at a limit at which they do not fill."""

    def broadcast(**more) -> tuple[int, dict[str, str]]:
        order = trader.broadcast(**{"limit": FAR_AWAY, "contracts": 10, **more})
        shares = trader.wait_for(order, "WORKING")
        return order, {share["id"]: share["broker_order_id"] for share in shares}

    return broadcast


def test_a_cancel_that_races_fills_ends_every_order_once_with_the_right_quantity(
    trader, working, holds
):
    """F46, F49: some fill while the cancel is on its way, some answers are lost."""
    order, numbers = working()
    names = trader.accounts
    raced, lost, cut = names[:10], names[10:20], names[20:25]
    for account in raced:
        trader.fault("fill_on_cancel", account, method="DELETE")
    for account in lost:
        trader.fault("drop_after", account, method="DELETE")
    for account in cut:
        trader.fault("drop_before", account, method="DELETE")
        trader.paper("fill", {"order_id": numbers[account], "quantity": 4})
    answer = trader.send(f"orders/{order}/cancel/", {})

    assert answer.status_code == 202, answer.text
    shares = {share["id"]: share for share in trader.wait_for(order, "CANCELED", "FILLED")}
    filled = {name: shares[name]["filled"] for name in names}
    assert filled == {name: 10 if name in raced else 4 if name in cut else 0 for name in names}
    assert {name for name in names if shares[name]["status"] == "FILLED"} == set(raced)
    assert Counter(one["status"] for one in _like(trader, numbers)) == Counter(
        {"CANCELED": ACCOUNTS - len(raced), "FILLED": len(raced)}
    )
    holds(order)


def test_a_replace_after_fills_of_3_of_10_orders_exactly_7(trader, working, holds):
    """F46: and nothing where all 10 were filled meanwhile."""
    order, numbers = working()
    since = trader.last_order()
    raced, part = trader.accounts[:5], trader.accounts[5:25]
    for account in part:
        trader.paper("fill", {"order_id": numbers[account], "quantity": 3})
    for account in raced:
        trader.fault("fill_on_cancel", account, method="DELETE")
    answer = trader.send(f"orders/{order}/replace/", {"limit": AT_ONCE})

    assert answer.status_code == 202, answer.text
    trader.wait_for(order, "FILLED")
    new = [one for one in trader.paper("orders") if one["orderId"] > since]
    quantities = {trader.account_of(one): one["quantity"] for one in new}
    assert len(new) == len(quantities)
    assert quantities == {
        name: 7 if name in part else 10 for name in trader.accounts if name not in raced
    }
    assert Counter(one["status"] for one in _like(trader, numbers)) == Counter(
        {"CANCELED": ACCOUNTS - len(raced), "FILLED": len(raced)}
    )
    bought = [share["filled"] for share in trader.shares(order)]
    assert sum(one["filledQuantity"] for one in new) == sum(
        7 if name in part else 10 for name in trader.accounts if name not in raced
    )
    assert len(bought) == ACCOUNTS
    holds(order)


def test_a_replace_of_chosen_accounts_leaves_the_others_alone(trader, working, holds):
    order, numbers = working()
    since, chosen = trader.last_order(), trader.accounts[3:6]
    answer = trader.send(f"orders/{order}/replace/", {"limit": NEARER, "accounts": chosen})

    assert answer.status_code == 202, answer.text
    wait_until(lambda: len(_new(trader, since)) == len(chosen))
    shares = {share["id"]: share for share in trader.wait_for(order, "WORKING")}
    moved = {name for name in numbers if shares[name]["broker_order_id"] != numbers[name]}
    assert moved == set(chosen)
    assert {one["price"] for one in _new(trader, since)} == {float(NEARER)}
    assert trader.send(f"orders/{order}/cancel/", {}).status_code == 202
    trader.wait_for(order, "CANCELED")
    holds(order)


def test_accounts_that_failed_are_tried_again_and_no_others(trader, holds):
    refused, absent = trader.accounts[4], trader.accounts[5]
    trader.fault("reject", refused)
    trader.fault("drop_before", absent)
    seen = trader.last_request()
    order = trader.broadcast()
    trader.wait_until_settled(order)
    trader.wait_for(order, "FILLED", "REJECTED", "FAILED_TO_PLACE")
    answer = trader.send(f"orders/{order}/retry-failed/", {})

    assert answer.status_code == 202, answer.text
    trader.wait_for(order, "FILLED")
    assert len(trader.posts(seen)) == ACCOUNTS + 2
    holds(order)


def test_a_freeze_in_the_middle_of_a_fan_out_stops_what_was_not_sent_and_lists_what_was(
    installation, trader, working, holds
):
    """F55, by the API."""
    sent, _ = working()
    seen = trader.last_request()
    with installation.stopped("placement"):
        waiting = trader.broadcast()
        left = trader.freeze()["left"]

    shares = trader.wait_for(waiting, "SKIPPED")
    assert {share["reason_code"] for share in shares} == {"FROZEN"}
    assert left["working"] == ACCOUNTS
    assert sent in [one["id"] for one in left["orders"]]
    assert trader.posts(seen) == []
    assert trader.send(f"orders/{sent}/cancel/", {}).status_code == 202
    trader.wait_for(sent, "CANCELED")
    trader.thaw()
    holds(sent, waiting)


def test_a_freeze_while_an_exit_works_stops_what_is_not_sent_and_proves_what_is(
    installation, trader, holds
):
    placed = trader.open()
    late = trader.open(trader.accounts[:20], legs=CALLS)
    since = trader.last_order()
    with trader.fills_by_hand():
        closing = trader.exit(placed)
        trader.wait_for(closing, "WORKING")  # a worker stopped while it writes locks everybody out
        assert len(trader.closings(since)) == ACCOUNTS
        with installation.stopped("placement"):
            stopped = trader.exit(late)
            assert trader.freeze()["left"]["exits"] >= ACCOUNTS + 20
    trader.wait_until_flat(placed)

    rows = trader.wait_until_over(late)
    assert {row["state"] for row in rows.values()} == {"RESIDUAL"}
    assert all("frozen" in row["why"] for row in rows.values())
    assert len(trader.closings(since)) == ACCOUNTS
    trader.thaw()
    again = trader.exit(late)
    trader.wait_until_flat(late)
    assert not any(trader.held(placed).values())
    holds(placed.order, late.order, closing, stopped, again)


def test_everything_is_canceled_and_closed_by_one_confirmed_call(trader, working, holds):
    buying, _ = working()
    some = trader.accounts[5:30]
    condor, calls = trader.open(), trader.open(some, legs=CALLS)
    since = trader.last_order()
    refused = trader.send("close-everything/", {"confirm": "yes"})
    assert refused.status_code == 400
    assert trader.closings(since) == []
    answer = trader.send("close-everything/", {"confirm": "CLOSE EVERYTHING"})

    assert answer.status_code == 202, answer.text
    trader.wait_for(buying, "CANCELED")
    trader.wait_until_flat(condor)
    trader.wait_until_flat(calls)
    # What other tests have left open is closed as well, and may take longer.
    wait_until(lambda: not any(trader.paper("positions").values()))
    closed = Counter(tuple(sorted(legs_of(one).items())) for one in trader.closings(since))
    assert closed[tuple(sorted(negative(condor.legs).items()))] == ACCOUNTS
    assert closed[tuple(sorted(negative(calls.legs).items()))] == len(some)
    assert not any(one["status"] == "WORKING" for one in trader.paper("orders"))
    holds(buying, condor.order, calls.order)


def _like(trader, numbers: dict[str, str]) -> list[dict[str, Any]]:
    """Return the broker's orders of these numbers."""
    wanted = set(numbers.values())
    return [one for one in trader.paper("orders") if str(one["orderId"]) in wanted]


def _new(trader, since: int) -> list[dict[str, Any]]:
    return [
        one
        for one in trader.paper("orders")
        if one["orderId"] > since and one["orderLegCollection"][0]["instrument"]["symbol"] == SHARE
    ]
