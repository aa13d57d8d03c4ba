"""EXIT where somebody was there before: accounts closed, halved, naked, frozen or cut off by hand."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope
from accounts.models import TradingMode
from accounts.services.tokens import refresh_login
from orders.domain.exits import Pricing
from orders.models import AccountOrder, PlacedOrderSet
from orders.services.reconciling import reconcile
from strategies.domain.catalog import recognise
from strategies.domain.tickets import Ticket
from tests.integration.orders.hands import force, hit
from tests.integration.orders.leaving import Way, bookmark, enter, fill_by_hand, grow_old
from tests.support.fleet import Fleet


@pytest.fixture
def way(fleet, condor) -> Way:
    """A condor of two contracts in three accounts."""
    return enter(fleet, replace(condor, contracts=2))


@pytest.fixture
def crossed(fleet, way) -> Callable[[], list[str]]:
    """Tell of every closing order that was larger than what its account held when it came."""

    def found() -> list[str]:
        return [o["statusDescription"] for o in way.closing() if o["status"] == "REJECTED"]

    return found


def test_an_account_closed_by_hand_gets_no_order_and_counts_as_flat(way, crossed):
    way.hold(0, [0, 0, 0, 0])
    order = way.leave()

    assert way.states() == ["DONE"] * 3
    assert way.is_flat()
    assert len(way.closing()) == 2
    assert order.status == "FILLED"
    assert not crossed()


def test_a_halved_account_closes_its_half(way, fleet, crossed):
    way.hold(1, [1, -1, -1, 1])
    way.leave()

    assert sorted(order["quantity"] for order in way.closing()) == [1, 2, 2]
    assert way.held(1) == [0] * 4
    assert way.is_flat()
    assert not crossed()


def test_without_its_call_wing_the_bare_call_is_bought_first_and_then_the_puts_go(way, crossed):
    way.hold(2, [2, -2, -2, 0])
    way.leave(passes=4)

    mine = [o for o in way.closing() if o["complexOrderStrategyType"] != "IRON_CONDOR"]
    assert [o["complexOrderStrategyType"] for o in mine] == ["NONE", "VERTICAL"]
    assert mine[0]["orderLegCollection"][0]["instruction"] == "BUY_TO_CLOSE"
    assert way.held(2) == [0] * 4
    assert way.is_flat()
    assert not crossed()


def test_without_its_call_body_the_puts_go_and_then_the_spare_call(way, crossed):
    way.hold(2, [2, -2, 0, 2])
    way.leave(passes=4)

    assert way.held(2) == [0] * 4
    assert way.is_flat()
    assert not crossed()


def test_a_long_leg_that_covers_somebody_elses_short_stays_and_is_named(way, fleet):
    other = way.symbols[0][:13] + "05000000"  # a put far below, sold by hand
    fleet.broker.positions({fleet.accounts[0].hash_value: {other: -2}})
    way.hold(0, [2, 0, 0, 0])
    order = way.leave()

    step = way.steps()[0]
    assert step.state == "RESIDUAL"
    assert "nothing covers" in step.why
    assert step.residual == {way.symbols[0]: 2}
    assert way.held(0) == [2, 0, 0, 0]
    assert order.status == "NEEDS_AGENT"


def test_an_account_that_holds_the_opposite_is_left_to_the_agent(way):
    way.hold(0, [-2, 2, 2, -2])
    way.leave()

    assert way.states() == ["RESIDUAL", "DONE", "DONE"]
    assert "did not buy" in way.steps()[0].why
    assert way.held(0) == [-2, 2, 2, -2]


def test_a_closing_order_made_by_hand_is_canceled_first(way, fleet, crossed):
    body = closing_body(way, price="0.05")
    name = fleet.broker.make_order(fleet.accounts[1].hash_value, body)
    assert status_of(fleet, name) == "WORKING"
    way.leave(passes=3)

    assert status_of(fleet, name) == "CANCELED"
    assert way.held(1) == [0] * 4
    assert way.is_flat()
    assert not crossed()


def test_a_frozen_account_is_left_and_goes_when_it_is_tried_again(way, fleet):
    mode = TradingMode.objects.create(
        scope=ModeScope.ACCOUNT,
        target=str(fleet.accounts[0].pk),
        mode=Mode.FROZEN,
        why="audit",
        since=timezone.now(),
    )
    way.leave()
    assert way.states() == ["RESIDUAL", "DONE", "DONE"]
    assert "frozen: audit" in way.steps()[0].why
    assert way.held(0) == [2, -2, -2, 2]

    mode.delete()
    again = way.leave()
    assert way.states() == ["DONE"] * 3
    assert again.exit_steps.count() == 1
    assert way.is_flat()


def test_a_refused_token_is_renewed_and_then_the_account_goes(way, fleet):
    fleet.broker.tokens(login=fleet.broker.logins()[0]["user"], access="revoke")
    order = way.open().order
    advanced = way.go()

    assert set(advanced.refused_tokens) == {fleet.accounts[0].login_id}
    assert way.states()[0] == "WAITING"
    for login_id, version in advanced.refused_tokens.items():
        refresh_login(login_id, now=timezone.now(), seen_version=version)
    way.go(passes=3)
    order.refresh_from_db()
    assert way.is_flat()
    assert order.status == "FILLED"


def test_a_login_that_must_be_connected_is_left_and_named(way, fleet):
    login = fleet.accounts[0].login
    login.status, login.status_reason = "LOGIN_REQUIRED", "Seven days are over."
    login.save()
    way.leave()

    step = way.steps()[0]
    assert (step.state, step.child_id) == ("RESIDUAL", None)
    assert "must be connected again. Seven days" in step.why


@pytest.mark.usefixtures("by_hand")
def test_the_rest_of_an_entry_is_canceled_before_what_is_filled_goes(fleet, condor):
    order = fleet.broadcast(replace(condor, contracts=3, limit=Decimal("4.50")))
    for child in fleet.children(order):
        fill_by_hand(fleet, child, 2)
    fleet.poll()
    way = bookmark(fleet, order)
    fleet.broker.market(fills="auto")
    fills = [child.filled for child in fleet.children(order)]
    way.leave(passes=4)

    assert fills == [2, 2, 2]
    assert fleet.statuses(order) == ["CANCELED"] * 3
    assert [o["quantity"] for o in way.closing()] == [2, 2, 2]
    assert [way.held(index) for index in range(3)] == [[0] * 4] * 3
    assert way.is_flat()


@pytest.mark.usefixtures("by_hand")
def test_an_account_whose_entry_is_not_filled_yet_gets_it_canceled_and_nothing_else(fleet, condor):
    order = fleet.broadcast(replace(condor, limit=Decimal("4.50")))
    first, second, _ = fleet.children(order)
    fill_by_hand(fleet, first)
    fleet.poll()
    way = bookmark(fleet, order)
    way.open()
    fill_by_hand(fleet, second)  # after the click, and before the cancel
    fleet.broker.market(fills="auto")
    way.go(passes=4)

    assert fleet.statuses(order) == ["FILLED", "FILLED", "CANCELED"]
    assert [o["quantity"] for o in way.closing()] == [1, 1]
    assert way.states() == ["DONE"] * 3
    assert [way.held(index) for index in range(3)] == [[0] * 4] * 3
    assert way.is_flat()


def test_an_entry_of_unknown_outcome_holds_its_exit_until_it_is_known(fleet, condor):
    order = fleet.broadcast(condor)
    fleet.poll()
    unknown = fleet.children(order)[0]
    lost = AccountOrder.objects.get(pk=unknown.pk)
    force(unknown, status="UNKNOWN", broker_order_id=None)
    way = bookmark(fleet, order)
    way.leave()

    assert way.states() == ["WAITING", "DONE", "DONE"]
    assert "not known yet" in way.steps()[0].why
    assert way.held(0) == [1, -1, -1, 1]
    assert lost.broker_order_id is not None
    reconcile(gateway=fleet.gateway)
    way.go(passes=3)
    assert way.is_flat()


def test_every_close_whose_answer_is_lost_is_found_and_nothing_is_doubled(way, fleet):
    for index in range(3):
        hit(fleet, "drop_after", index=index)
    order = way.open().order
    way.go()
    assert {child.status for child in fleet.children(order)} == {"UNKNOWN"}
    way.go(passes=2)
    assert len(way.closing()) == 3
    reconcile(gateway=fleet.gateway)
    way.go(passes=3)

    assert len(way.closing()) == 3
    assert way.is_flat()


def test_a_rejected_close_is_left_with_the_brokers_words_and_can_be_tried_again(way, fleet):
    hit(fleet, "reject", index=2, body="Not today")
    way.leave()

    step = way.steps()[2]
    assert (step.state, step.why) == ("RESIDUAL", "Not today")
    assert step.residual == dict(zip(way.symbols, [2, -2, -2, 2], strict=True))
    way.leave()
    assert way.is_flat()


def test_two_sets_that_share_a_leg_close_each_its_own(fleet, condor):
    first = enter(fleet, condor)
    legs = [leg.symbol for leg in condor.legs]
    second = enter(fleet, puts_of(condor))
    assert set(second.symbols) < set(legs)
    first.open()
    second.open(pricing=Pricing.NATURAL, limit=None)
    first.go(passes=3)
    grow_old()
    first.go(passes=2)

    assert first.held() == [0] * 4
    assert first.is_flat()
    assert second.is_flat()
    assert all(order["status"] == "FILLED" for order in first.closing())


def test_two_equal_sets_left_together_close_one_after_the_other(fleet, condor):
    first, second = enter(fleet, condor), enter(fleet, condor)
    first.open()
    second.open()
    first.go(passes=2)
    grow_old()
    first.go(passes=2)

    assert len(first.closing()) == 6
    assert first.is_flat()
    assert second.is_flat()


def test_a_leg_that_was_closed_a_moment_ago_does_not_take_the_whole_apart(fleet, condor):
    first, second = enter(fleet, puts_of(condor)), enter(fleet, condor)
    first.leave()
    second.open()
    second.go()
    assert second.states() == ["WAITING"] * 3
    assert "a moment ago" in second.steps()[0].why

    grow_old()
    second.go(passes=2)
    strategies = [o["complexOrderStrategyType"] for o in second.closing()]
    assert strategies == ["VERTICAL"] * 3 + ["IRON_CONDOR"] * 3
    assert second.is_flat()


def test_one_of_two_sets_that_share_a_leg_leaves_the_others_share(fleet, condor):
    first = enter(fleet, condor)
    second = enter(fleet, puts_of(condor))
    first.leave()

    assert first.is_flat()
    assert second.held() == [1, -1]
    assert PlacedOrderSet.objects.filter(flat_at__isnull=True).count() == 1


def puts_of(condor: Ticket) -> Ticket:
    """Return the put side of a condor as a trade of its own."""
    structure = recognise(condor.legs[:2])
    return replace(condor, strategy=structure.strategy, legs=structure.legs)


def closing_body(way: Way, *, price: str) -> dict[str, Any]:
    flipped = {"BUY_TO_OPEN": "SELL_TO_CLOSE", "SELL_TO_OPEN": "BUY_TO_CLOSE"}
    legs = [
        {
            "instruction": flipped[leg.instruction],
            "quantity": 2,
            "instrument": {"symbol": leg.symbol, "assetType": "OPTION"},
        }
        for leg in way.placed_set.order.legs.all()
    ]
    return {
        "orderType": "NET_DEBIT",
        "session": "NORMAL",
        "duration": "DAY",
        "price": price,
        "orderStrategyType": "SINGLE",
        "complexOrderStrategyType": "IRON_CONDOR",
        "quantity": 2,
        "orderLegCollection": legs,
    }


def status_of(fleet: Fleet, name: str) -> str:
    return str(next(o["status"] for o in fleet.broker.orders() if str(o["orderId"]) == name))
