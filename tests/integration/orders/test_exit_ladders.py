"""Ladders of exits: what closes chases its price, whole sets only, until all is flat."""

from decimal import Decimal
from uuid import uuid4

import pytest

from orders.domain.errors import BadTicket, GuardRefused, KeyReused
from orders.domain.exits import Pricing
from orders.domain.ladders import Ladder
from orders.models import ComplexOrder, ExitStep, PriceLadder
from orders.selectors.exit_pricing import exit_prices
from strategies.domain.reversal import reverse_legs
from strategies.domain.tickets import Instruction, Leg
from tests.integration.orders.climbers import (
    is_running,
    ladder_of,
    limit_of,
    step,
    up,
    why,
    working,
)
from tests.integration.orders.leaving import Way, enter, grow_old

NICKEL = Decimal("0.05")
FAR = Ladder(NICKEL, 10, Decimal("0.50"))


@pytest.fixture
def way(fleet, condor) -> Way:
    """A condor of one contract in three accounts."""
    return enter(fleet, condor)


def mid_of(way: Way) -> Decimal:
    """Return the limit at which the set would be closed now."""
    legs = [
        Leg(leg.symbol, Instruction(leg.instruction), leg.ratio)
        for leg in way.placed_set.order.legs.all()
    ]
    mid = exit_prices(reverse_legs(legs)).mid
    assert mid is not None
    return mid


def test_an_exit_that_is_too_cheap_climbs_until_every_account_is_flat(way, fleet):
    mid = mid_of(way)
    ladder = Ladder(NICKEL, 10, mid + 10 * NICKEL)
    order = way.open(limit=mid - 3 * NICKEL, ladder=ladder).order
    way.go()
    first = working(fleet)

    for _ in range(3):
        assert is_running(order)
        up(fleet, order)
    grow_old()
    way.go(passes=2)
    step(order)

    assert first == [(1, float(mid - 3 * NICKEL))] * 3
    assert limit_of(order) == mid
    assert way.is_flat()
    assert way.states() == ["DONE"] * 3
    assert ladder_of(order).steps_taken == 3
    assert (is_running(order), why(order)) == (False, "Everything is filled.")
    assert [way.held(index) for index in range(3)] == [[0] * 4] * 3


def test_the_step_of_an_exit_goes_on_with_the_new_order(way, fleet, by_hand):
    order = way.open(limit=Decimal("0.10"), ladder=FAR).order
    way.go()
    before = {one.child_id for one in ExitStep.objects.filter(order=order)}

    up(fleet, order)
    way.go()

    steps = ExitStep.objects.filter(order=order).select_related("child")
    assert {one.state for one in steps} == {"CLOSING"}
    assert not before & {one.child_id for one in steps}
    assert {one.child.attempt for one in steps if one.child} == {2}
    assert working(fleet) == [(1, 0.15)] * 3


def test_what_is_planned_later_begins_at_the_limit_that_the_ladder_has_come_to(
    way, fleet, by_hand, broker
):
    order = way.open(limit=Decimal("0.10"), ladder=FAR).order
    late = way.steps()[2]
    ExitStep.objects.filter(pk=late.pk).update(order=None)
    way.go()
    up(fleet, order)
    ExitStep.objects.filter(pk=late.pk).update(order=order)

    way.go()

    assert working(fleet) == [(1, 0.15)] * 3


def test_before_anything_is_sent_it_waits(way, fleet):
    order = way.open(limit=Decimal("0.10"), ladder=FAR).order

    waiting = step(order)

    assert (waiting.waiting, waiting.stopped) == (1, 0)
    assert is_running(order)
    assert limit_of(order) == Decimal("0.10")


def test_an_order_for_a_part_of_the_set_keeps_its_own_price(way, fleet, broker, by_hand):
    way.hold(1, [1, 0, 0, 0])
    order = way.open(limit=Decimal("0.10"), ladder=FAR).order
    way.go()
    alone = [price for price in working(fleet) if price != (1, 0.1)]

    up(fleet, order)

    assert len(alone) == 1
    assert working(fleet) == sorted([*alone, (1, 0.15), (1, 0.15)])


def test_the_bound_of_an_exit_is_judged_before_anything_is_written(way, prices):
    mid = mid_of(way)
    far = Ladder(NICKEL, 10, mid + 100 * NICKEL)

    with pytest.raises(GuardRefused) as error:
        way.open(pricing=Pricing.MID, limit=None, ladder=far, confirm=frozenset())

    (problem,) = error.value.problems
    assert (problem.field, problem.code) == ("ladder.bound", "PRICE_AWAY")
    assert not ComplexOrder.objects.filter(purpose="CLOSE").exists()
    way.open(pricing=Pricing.MID, limit=None, ladder=far)
    assert PriceLadder.objects.exists()


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"ladder": Ladder(NICKEL, 10, Decimal("0.05"))}, "ladder.bound"),
        ({"ladder": Ladder(NICKEL, 1, Decimal("0.50"))}, "ladder.every_s"),
        (
            {"ladder": FAR, "pricing": Pricing.MARKET, "limit": None},
            "ladder",
        ),
    ],
    ids=["wrong side", "too fast", "market"],
)
def test_a_bad_ladder_of_an_exit_names_its_field(way, terms, field):
    confirm = frozenset({"PRICE_AWAY", "NO_MARKET_MULTILEG"})

    with pytest.raises(BadTicket) as error:
        way.open(**{"limit": Decimal("0.10"), "confirm": confirm, **terms})

    assert {problem.field for problem in error.value.problems} == {field}
    assert not ComplexOrder.objects.filter(purpose="CLOSE").exists()


def test_the_same_key_for_another_ladder_is_refused(way):
    key, limit = uuid4(), Decimal("0.10")
    way.open(key=key, limit=limit, ladder=FAR)

    assert not way.open(key=key, limit=limit, ladder=FAR).is_new
    with pytest.raises(KeyReused):
        way.open(key=key, limit=limit)
    assert PriceLadder.objects.count() == 1
