"""Exits of sets with which something else happened before: by hand, by half, or nobody knows."""

import pytest

from tests.faults.closer import Closer, legs_of, negative
from tests.faults.installation import wait_until

TRADER = Closer
ACCOUNTS = 45
SETTINGS = {"DEMO_ACCOUNTS": str(ACCOUNTS)}
FAR_AWAY = "0.05"
CLOSED, HALF, BARE, LAME, WORKING, FROZEN, REVOKED, LOST = range(8)
LEFT = {FROZEN, LOST}


@pytest.fixture(autouse=True)
def _clear(installation, trader) -> None:
    installation.wait_until_whole()
    trader.clear()


def test_an_exit_closes_what_is_there_and_says_what_is_left(trader, holds):
    """Somebody was busy at the broker between entry and exit."""
    placed = trader.open(contracts=2)
    names = trader.accounts
    _, body, _, wing = placed.legs  # the put that was sold, the call that was bought
    trader.put(
        {
            names[CLOSED]: placed.times(0),
            names[HALF]: placed.times(1),
            names[BARE]: {wing: 0},
            names[LAME]: {body: 0},
        }
    )
    by_hand = trader.close_by_hand(names[WORKING], placed, 2, FAR_AWAY)
    trader.freeze(names[FROZEN])
    trader.revoke(names[REVOKED], "access")
    trader.revoke(names[LOST], "access", "refresh")
    before, since = trader.held(placed), trader.last_order()
    closing = trader.exit(placed)

    rows = trader.wait_until_over(placed, 90)
    left = {name: row for name, row in rows.items() if row["state"] != "DONE"}
    why = {names.index(name): row["why"] for name, row in left.items()}
    assert set(why) == LEFT, why
    assert "frozen" in why[FROZEN]
    assert "connected" in why[LOST]
    assert all(row["residual"] == 2 for row in left.values())
    assert not trader.get(f"sets/{placed.set}/")["flat_at"]
    assert trader.held(placed) == {name: placed.times(2) for name in left}
    asked = {name: [legs_of(one) for one in trader.closings(since, name)] for name in names}
    for number, name in enumerate(names):
        total = {symbol: sum(legs.get(symbol, 0) for legs in asked[name]) for symbol in placed.legs}
        gone = {} if number in LEFT else before.get(name, {})
        assert total == negative({symbol: gone.get(symbol, 0) for symbol in placed.legs}), name
    assert asked[names[HALF]] == [negative(placed.times(1))]
    (hand,) = [one for one in trader.paper("orders") if str(one["orderId"]) == by_hand]
    assert hand["status"] == "CANCELED"
    holds(placed.order, closing)

    trader.thaw(names[FROZEN])
    again = trader.exit(placed, accounts=[names[FROZEN]])
    rows = trader.wait_until_over(placed)
    assert rows[names[FROZEN]]["state"] == "DONE"
    assert trader.held(placed) == {names[LOST]: placed.times(2)}
    holds(again)


def test_an_exit_cancels_the_rest_of_its_entry_before_it_closes_what_was_filled(trader, holds):
    """F51: all of it in some accounts, part of it in others, nothing in a few."""
    accounts = trader.accounts[10:22]
    whole, part, nothing = accounts[:5], accounts[5:10], accounts[10:]
    with trader.fills_by_hand():
        order = trader.begin(accounts, contracts=3)
        shares = {share["id"]: share for share in trader.wait_for(order, "WORKING")}
        for account in whole:
            trader.paper("fill", {"order_id": shares[account]["broker_order_id"]})
        for account in part:
            filled = {"order_id": shares[account]["broker_order_id"], "quantity": 2}
            trader.paper("fill", filled)
        placed = trader.placed(order)
        wait_until(lambda: len(trader.rows(placed)) == len(whole) + len(part))
        since = trader.last_order()
        closing = trader.exit(placed)
        wait_until(lambda: len(trader.closings(since)) == len(whole) + len(part), 30)
        ended = {share["id"]: share["status"] for share in trader.shares(order)}
        trader.wait_for(order, "FILLED", "CANCELED")

    trader.wait_until_flat(placed)
    assert {name: ended[name] for name in whole} == dict.fromkeys(whole, "FILLED")
    assert {name: ended[name] for name in part} == dict.fromkeys(part, "CANCELED")
    for account in whole:
        assert [legs_of(one) for one in trader.closings(since, account)] == [
            negative(placed.times(3))
        ]
    for account in part:
        assert [legs_of(one) for one in trader.closings(since, account)] == [
            negative(placed.times(2))
        ]
    assert not any(account in trader.held(placed) for account in accounts)
    assert all(trader.closings(since, account) == [] for account in nothing)
    holds(order, closing)


def test_an_exit_waits_for_an_entry_of_unknown_outcome(trader, holds):
    """F51: then it closes it, or leaves it out."""
    accounts = trader.accounts[25:33]
    there, silent, absent = accounts[:3]
    trader.fault("drop_after", there)
    trader.fault("never_answer_after", silent)
    trader.fault("drop_before", absent)
    order = trader.begin(accounts)
    sure = accounts[3:]
    wait_until(lambda: _filled(trader, order) >= set(sure), 15)
    placed = trader.placed(order)
    since = trader.last_order()
    closing = trader.exit(placed)

    trader.wait_until_settled(order)
    rows = trader.wait_until_over(placed)
    assert all(row["state"] == "DONE" for row in rows.values()), rows
    assert not any(account in trader.held(placed) for account in accounts)
    assert [legs_of(one) for one in trader.closings(since, there)] == [negative(placed.legs)]
    assert [legs_of(one) for one in trader.closings(since, silent)] == [negative(placed.legs)]
    assert trader.closings(since, absent) == []
    holds(order, closing)


def _filled(trader, order: int) -> set[str]:
    return {share["id"] for share in trader.shares(order) if share["status"] == "FILLED"}
