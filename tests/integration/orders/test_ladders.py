"""Ladders move a limit step by step until it fills, meets its bound, or somebody stops it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from accounts.models import AuditEvent, TradingMode
from accounts.services.gate import close_gate
from orders import tasks
from orders.domain.errors import BadTicket, CannotControl, GuardRefused
from orders.models import AccountOrder, PriceLadder
from orders.selectors import chains
from orders.services import reconciling
from orders.services.climbing import climb, due_ladders
from orders.services.freezing import change_mode
from orders.services.ladders import start_ladder, stop_ladder
from orders.services.sweeping import sweep
from strategies.domain.tickets import Duration
from tests.integration.orders.climbers import (
    CENT,
    carry_out,
    is_running,
    ladder_of,
    let_pass,
    limit_of,
    start,
    step,
    trail,
    up,
    why,
    working,
)
from tests.integration.orders.hands import figures, force, hit, one, only
from tests.integration.orders.stopping import ask, cancels, change, fault_cancels, resting, stop
from tests.integration.orders.test_races import at_once
from tests.integration.orders.test_tasks import rung
from tests.support.make import make_group, make_mode


def test_every_step_moves_the_limit_in_all_accounts_and_is_on_record(fleet, broker):
    order = resting(fleet, accounts=3)
    start(fleet, order)

    climbed = up(fleet, order)

    assert len(climbed.asked) == 1
    assert limit_of(order) == Decimal("1.05")
    assert working(fleet) == [(10, 1.05)] * 3
    up(fleet, order)
    assert working(fleet) == [(10, 1.1)] * 3
    assert ladder_of(order).steps_taken == 2
    assert trail(order) == [("", "RUNNING"), ("1", "1.05"), ("1.05", "1.1")]
    assert len(broker.orders()) == 9


def test_an_order_whose_limit_is_too_good_climbs_and_fills_at_the_step_that_meets_the_mid(
    fleet, broker
):
    quote = chains.quotes(["AAPL"]).by_symbol["AAPL"]
    assert quote.bid
    assert quote.ask
    mid = (quote.bid + quote.ask) / 2
    low = (mid - 5 * CENT).quantize(CENT)
    ticket = fleet.shares(10, limit=low)
    order, _ = one(fleet, ticket)
    fleet.poll()
    start(fleet, order, step=2 * CENT, bound=low + 20 * CENT)

    steps = 0
    while is_running(order) and steps < 20:
        up(fleet, order)
        steps += 1

    filled = fleet.children(order)[-1]
    limit = limit_of(order)
    assert limit is not None
    assert limit - 2 * CENT < mid <= limit
    assert figures(filled) == ("FILLED", 10, 0)
    assert filled.net_price is not None
    assert filled.net_price <= limit
    assert why(order) == "Everything is filled."
    assert sum(float(one["filledQuantity"]) for one in broker.orders()) == 10


def test_the_bound_stops_it_and_the_order_goes_on_there(fleet, broker):
    order = resting(fleet)
    start(fleet, order, step=Decimal("0.15"))

    up(fleet, order)
    running = is_running(order)
    up(fleet, order)

    assert (running, is_running(order)) == (True, False)
    assert why(order) == "The limit is at its cap."
    assert ladder_of(order).steps_taken == 2
    assert working(fleet) == [(10, 1.2)]
    assert step(order).asked == []
    assert trail(order)[-2:] == [("1.15", "1.2"), ("RUNNING", "STOPPED")]


def test_a_click_stops_it(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    up(fleet, order)

    stop_ladder(order_id=order.pk, by="agent", now=timezone.now())

    assert step(order).asked == []
    assert why(order) == "Stopped by agent."
    assert working(fleet) == [(10, 1.05)]
    stopped = AuditEvent.objects.filter(kind="ladder").latest("id")
    assert (stopped.actor, stopped.new) == ("agent", "STOPPED")
    with pytest.raises(CannotControl):
        stop_ladder(order_id=order.pk, by="agent", now=timezone.now())


def test_partly_filled_accounts_replace_only_the_rest(fleet, broker):
    order = resting(fleet, accounts=2)
    start(fleet, order)
    broker.fill(fleet.children(order)[0].broker_order_id, quantity=3)
    fleet.poll()

    up(fleet, order)

    assert working(fleet) == [(7, 1.05), (10, 1.05)]


def test_filled_accounts_are_left_alone_and_the_others_go_on(fleet, broker):
    order = resting(fleet, accounts=3)
    start(fleet, order)
    broker.fill(fleet.children(order)[1].broker_order_id)
    fleet.poll()

    up(fleet, order)

    assert working(fleet) == [(10, 1.05)] * 2
    assert len(broker.orders()) == 5
    assert is_running(order)


def test_it_stops_as_soon_as_everything_is_filled_long_before_its_time(fleet, broker):
    order = resting(fleet)
    start(fleet, order, every_s=3600)
    broker.fill(only(fleet, order).broker_order_id)
    fleet.poll()

    swept = sweep(now=timezone.now())
    climb(now=timezone.now())

    assert "orders.climb" in swept.tasks
    assert (is_running(order), why(order)) == (False, "Everything is filled.")


def test_it_stops_when_the_agent_cancels_and_moves_nothing_meanwhile(fleet, broker):
    order = resting(fleet)
    start(fleet, order)

    ask(order)
    waiting = step(order)
    stop(fleet)
    climb(now=timezone.now())

    assert (waiting.asked, waiting.waiting) == ([], 1)
    assert fleet.statuses(order) == ["CANCELED"]
    assert (is_running(order), why(order)) == (False, "Nothing of it works any more.")
    assert len(broker.orders()) == 1


def test_one_account_that_is_canceled_does_not_hold_up_the_others(fleet, broker):
    order = resting(fleet, accounts=2)
    start(fleet, order)
    ask(order, accounts=[fleet.accounts[0].pk])

    up(fleet, order)

    assert working(fleet) == [(10, 1.05)]
    assert fleet.statuses(order) == ["CANCELED", "CANCELED", "WORKING"]


def test_nothing_moves_while_an_account_is_unknown(fleet, broker):
    hit(fleet, "http_500")
    order = fleet.broadcast(fleet.shares(10, limit=Decimal("1.00")), accounts=fleet.accounts[:2])
    fleet.poll()
    start(fleet, order)

    waiting = step(order)

    assert (waiting.asked, waiting.waiting) == ([], 1)
    assert why(order).startswith("Whether the order in ")
    assert why(order).endswith(" is at the broker is not known yet.")
    assert limit_of(order) == Decimal("1.00")
    assert cancels(broker) == 0
    step(order)
    assert trail(order) == [("", "RUNNING"), ("RUNNING", "WAITING")]
    force(fleet.children(order)[0], status="FAILED_TO_PLACE")
    up(fleet, order)
    assert (working(fleet), why(order)) == ([(10, 1.05)], "")


def test_no_step_follows_before_the_last_one_is_carried_out(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    fault_cancels(fleet, "drop_before")
    step(order)
    stop(fleet)

    waiting = step(order)

    assert (waiting.asked, waiting.waiting) == ([], 1)
    assert why(order).startswith("An order is on its way in ")
    assert limit_of(order) == Decimal("1.05")
    assert working(fleet) == [(10, 1.0)]


def test_a_rest_whose_answer_is_lost_is_not_stepped_over(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    step(order)
    stop(fleet)
    hit(fleet, "drop_after")
    carry_out(fleet, order)

    waiting = step(order)

    assert fleet.statuses(order) == ["CANCELED", "UNKNOWN"]
    assert waiting.asked == []
    AccountOrder.objects.update(looked_at=None)
    reconciling.reconcile(gateway=fleet.gateway)
    up(fleet, order)
    assert working(fleet) == [(10, 1.1)]
    assert len(broker.orders()) == 3


def test_one_that_nobody_moved_for_minutes_stops_instead_of_going_on(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    let_pass(order, 10 + 301)

    climb(now=timezone.now())

    assert not is_running(order)
    assert "stood still" in why(order)
    assert working(fleet) == [(10, 1.0)]


def test_missed_steps_are_not_made_up_for(fleet):
    order = resting(fleet)
    start(fleet, order)
    let_pass(order, 60)
    now = timezone.now()

    climb(now=now)

    assert limit_of(order) == Decimal("1.05")
    assert ladder_of(order).next_at == now + timedelta(seconds=10)
    assert not due_ladders(now).exists()


def test_a_freeze_stops_it(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    rule = ModeRule(ModeScope.FLEET, "", Mode.FROZEN, "bad news")

    change_mode(rule, by=fleet.agent, now=timezone.now())

    assert step(order).asked == []
    assert (is_running(order), why(order)) == (False, "The fleet is frozen: bad news.")
    assert working(fleet) == [(10, 1.0)]


def test_a_mode_that_is_found_at_the_step_stops_it_too(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    make_mode(Mode.CLOSE_ONLY)

    assert step(order).stopped == 1
    assert why(order) == "The fleet is close only: a test says so."
    assert working(fleet) == [(10, 1.0)]


def test_frozen_accounts_keep_their_order_and_the_others_go_on(fleet, broker):
    order = resting(fleet, accounts=3)
    start(fleet, order)
    make_group("few", fleet.accounts[0])
    make_mode(Mode.FROZEN, ModeScope.GROUP, "few")

    up(fleet, order)

    assert working(fleet) == [(10, 1.0), (10, 1.05), (10, 1.05)]
    assert is_running(order)


def test_while_the_gate_is_closed_it_waits(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    close_gate("Starting: reading all accounts.", now=timezone.now())

    waiting = step(order)

    assert (waiting.waiting, is_running(order)) == (1, True)
    assert working(fleet) == [(10, 1.0)]
    TradingMode.objects.all().delete()
    up(fleet, order)
    assert working(fleet) == [(10, 1.05)]


def test_an_order_the_agent_replaces_goes_on_from_his_limit(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    change(order, Decimal("1.10"), confirm=["PRICE_AWAY"])
    carry_out(fleet, order)

    up(fleet, order)

    assert working(fleet) == [(10, 1.15)]


def test_a_limit_that_the_agent_sets_beyond_the_bound_stays(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    change(order, Decimal("1.30"), confirm=["PRICE_AWAY"])
    carry_out(fleet, order)

    step(order)

    assert (is_running(order), why(order)) == (False, "The limit is at its cap.")
    assert working(fleet) == [(10, 1.3)]


def test_a_second_ladder_takes_the_place_of_the_first(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    up(fleet, order)

    start(fleet, order, step=Decimal("0.50"), bound=Decimal("3.00"))
    up(fleet, order)

    assert PriceLadder.objects.count() == 1
    assert ladder_of(order).steps_taken == 1
    assert working(fleet) == [(10, 1.55)]


def test_a_ladder_can_be_started_again_where_it_stopped(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    stop_ladder(order_id=order.pk, by="agent", now=timezone.now())

    start(fleet, order)
    up(fleet, order)

    assert (is_running(order), why(order)) == (True, "")
    assert working(fleet) == [(10, 1.05)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"step": Decimal(0)}, "ladder.step"),
        ({"step": Decimal("0.005")}, "ladder.step"),
        ({"every_s": 2}, "ladder.every_s"),
        ({"bound": Decimal("0.90")}, "ladder.bound"),
        ({"bound": Decimal("1.205")}, "ladder.bound"),
    ],
    ids=["no step", "off tick", "too fast", "wrong side", "bound off tick"],
)
def test_a_bad_ladder_names_its_field_and_writes_nothing(fleet, changes, field):
    order = resting(fleet)
    before = AuditEvent.objects.count()

    with pytest.raises(BadTicket) as error:
        start(fleet, order, **changes)

    assert {problem.field for problem in error.value.problems} == {field}
    assert (PriceLadder.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_a_bound_far_from_the_market_must_be_confirmed(fleet, prices):
    order = resting(fleet)
    far = {"step": Decimal(10), "bound": Decimal(1001), "confirm": []}

    with pytest.raises(GuardRefused) as error:
        start(fleet, order, **far)

    (problem,) = error.value.problems
    assert (problem.field, problem.code) == ("ladder.bound", "PRICE_AWAY")
    assert problem.message.startswith("The cap ")
    assert not PriceLadder.objects.exists()
    start(fleet, order, **{**far, "confirm": ["PRICE_AWAY"]})
    started = AuditEvent.objects.get(kind="ladder")
    assert set(started.data["overridden"]) == {"PRICE_AWAY"}


def test_a_bound_near_the_market_needs_no_confirming(fleet, prices):
    order = resting(fleet)

    start(fleet, order, confirm=[])

    assert is_running(order)


def test_an_order_that_is_over_has_no_ladder(fleet, broker):
    order = resting(fleet)
    broker.fill(only(fleet, order).broker_order_id)
    fleet.poll()

    with pytest.raises(CannotControl):
        start(fleet, order)


def test_what_is_frozen_has_no_ladder(fleet):
    order = resting(fleet)
    make_mode(Mode.FROZEN)

    with pytest.raises(CannotControl, match="frozen"):
        start(fleet, order)
    assert not PriceLadder.objects.exists()


@pytest.mark.parametrize(
    "terms",
    [{}, {"limit": Decimal("1.00"), "duration": Duration.FILL_OR_KILL}],
    ids=["market", "fill or kill"],
)
def test_only_a_limit_that_lasts_can_move(fleet, terms):
    order = fleet.create(fleet.shares(**terms))

    with pytest.raises(BadTicket) as error:
        start(fleet, order)
    assert {problem.field for problem in error.value.problems} == {"ladder"}


def test_a_credit_falls_to_its_floor(fleet, condor, broker, by_hand):
    order, _ = one(fleet, replace(condor, limit=Decimal("1.00")))
    fleet.poll()
    start_ladder(
        order_id=order.pk,
        step=Decimal("0.05"),
        every_s=10,
        bound=Decimal("0.90"),
        agent=fleet.agent,
        now=timezone.now(),
        confirm=["PRICE_AWAY"],
    )

    up(fleet, order)
    first = working(fleet)
    up(fleet, order)

    assert (first, working(fleet)) == ([(1, 0.95)], [(1, 0.9)])
    assert why(order) == "The limit is at its floor."


def test_a_sweep_rings_for_a_ladder_that_is_due_and_for_no_other(fleet):
    order = resting(fleet)
    start(fleet, order)

    early = sweep(now=timezone.now()).tasks
    let_pass(order)

    assert "orders.climb" not in early
    assert "orders.climb" in sweep(now=timezone.now()).tasks


def test_the_task_rings_for_the_cancels_of_its_steps(
    fleet, queue, django_capture_on_commit_callbacks
):
    order = resting(fleet, accounts=3)
    start(fleet, order)
    let_pass(order)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.climb()
        tasks.climb()

    ((name, arguments),) = rung(queue)
    assert name == "orders.send_cancels"
    assert set(arguments["ids"]) == {str(child.pk) for child in fleet.children(order)}


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_climbs(fleet, broker):
    order = resting(fleet, accounts=3)
    start(fleet, order)
    let_pass(order)
    now = timezone.now()

    results = at_once(*[lambda: climb(now=now)] * 4)

    assert sorted(len(one.asked) for one in results) == [0, 0, 0, 1]
    assert ladder_of(order).steps_taken == 1
    assert limit_of(order) == Decimal("1.05")
    carry_out(fleet, order)
    assert working(fleet) == [(10, 1.05)] * 3


@pytest.mark.django_db(transaction=True)
def test_a_click_that_stops_it_at_the_moment_of_a_step_comes_wholly_before_or_after(fleet, broker):
    order = resting(fleet)
    start(fleet, order)
    let_pass(order)

    at_once(
        lambda: climb(now=timezone.now()),
        lambda: stop_ladder(order_id=order.pk, by="agent", now=timezone.now()),
    )

    asked = AccountOrder.objects.filter(replace_limit__isnull=False).count()
    assert not is_running(order)
    assert ladder_of(order).steps_taken == asked
    assert limit_of(order) == (Decimal("1.05") if asked else Decimal("1.00"))


def test_a_ladder_of_another_environment_stops(fleet, broker, settings):
    order = resting(fleet)
    start(fleet, order)
    settings.ENVIRONMENT = "LIVE"

    step(order)

    assert not is_running(order)
    assert cancels(broker) == 0
