"""What a set shows: what was paid, is held, was closed and is left, and at which price it would close."""

from dataclasses import replace
from decimal import Decimal

from django.utils import timezone

from orders.domain.exits import ExitState
from orders.models import ExitStep, PlacedOrderSet
from orders.selectors.exit_pricing import exit_prices
from orders.selectors.filled import closed_of
from orders.selectors.sets import (
    find_set,
    list_sets,
)
from orders.services.sets import keep_sets
from strategies.domain.reversal import reverse
from strategies.domain.tickets import OrderType, PriceEffect, Strategy, Ticket
from tests.integration.orders.bookmarks import (
    SIX,
    close,
    filled,
    let_hold,
    shown,
    signed,
    step,
    sync,
    times,
)


def test_a_set_knows_its_broadcast_and_what_was_paid(fleet, condor):
    ticket = replace(condor, contracts=2)
    placed_set = filled(fleet, ticket)
    sync(fleet)

    row = shown(placed_set)

    order = row.order
    assert (order.id, order.name, order.underlying) == (placed_set.order_id, "Iron condor", "SPX")
    assert (order.price_effect, order.limit, order.contracts) == ("NET_CREDIT", condor.limit, 2)
    assert [leg.symbol for leg in order.legs] == [leg.symbol for leg in condor.legs]
    assert (row.status, row.flat_at, row.exit) == ("OPEN", None, None)
    assert (row.flat_accounts, row.accounts_total) == (0, 3)
    children = fleet.children(placed_set.order)
    for account, child, one in zip(fleet.accounts, children, row.accounts, strict=True):
        account.refresh_from_db()
        assert (one.id, one.alias, one.mask) == (account.pk, account.alias, account.mask)
        assert (one.bookmarked, one.held, one.residual, one.state) == (2, 2, 0, "")
        assert one.entry_price == child.net_price
        assert one.read_at == account.positions_at
        quantities = times(signed(condor), 2)
        assert one.by_leg == [(s, quantity, quantity) for s, quantity in quantities.items()]


def test_before_the_first_read_of_positions_nobody_knows_what_is_held(fleet, condor):
    row = shown(filled(fleet, condor))

    assert [one.held for one in row.accounts] == [None, None, None]
    assert row.accounts[0].by_leg[0].held is None
    assert row.accounts[0].read_at is None


def test_what_was_done_by_hand_shows_in_what_is_held(fleet, condor):
    placed_set = filled(fleet, replace(condor, contracts=4))
    wing, body, _, _ = (leg.symbol for leg in condor.legs)
    closed, halved, turned = fleet.accounts
    let_hold(fleet, closed, **dict.fromkeys(signed(condor), 0))
    let_hold(fleet, halved, **times(signed(condor), 2))
    let_hold(fleet, turned, **{body: 3, wing: 9})

    row = shown(placed_set)

    assert [one.bookmarked for one in row.accounts] == [4, 4, 4]
    assert [one.held for one in row.accounts] == [0, 2, 0]
    assert row.accounts[2].by_leg[:2] == [(wing, 4, 9), (body, -4, 3)]


def test_two_sets_that_share_a_leg_each_show_their_own_part(fleet, condor):
    wide = replace(condor, contracts=3)
    put_wing, put_body = condor.legs[:2]
    spread = Ticket(
        strategy=Strategy.VERTICAL,
        legs=(put_wing, put_body),
        order_type=OrderType.LIMIT,
        contracts=2,
        limit=Decimal("0.05"),
        price_effect=PriceEffect.NET_CREDIT,
    )
    account = fleet.accounts[0]
    first = filled(fleet, wide, accounts=[account])
    second = filled(fleet, spread, accounts=[account])
    sync(fleet)

    (of_first,), (of_second,) = shown(first).accounts, shown(second).accounts
    assert (of_first.held, of_second.held) == (3, 2)
    assert of_first.by_leg[0] == (put_wing.symbol, 3, 5)
    assert of_second.by_leg[0] == (put_wing.symbol, 2, 5)

    close(first, fleet, condor, 3)
    sync(fleet)

    # The broker still holds two of the legs they share: those are the other set's.
    (of_first,), (of_second,) = shown(first).accounts, shown(second).accounts
    assert (of_first.held, of_second.held) == (0, 2)
    assert of_first.by_leg[0] == (put_wing.symbol, 3, 2)


def test_what_exits_filled_is_signed_as_it_was_traded(fleet, condor):
    placed_set = filled(fleet, replace(condor, contracts=3))
    for contracts in (1, 2):
        close(placed_set, fleet, condor, contracts)
    close(placed_set, fleet, condor, 1, index=1)

    assert closed_of([placed_set.pk]) == {
        placed_set.pk: {
            fleet.accounts[0].pk: times(signed(condor), -3),
            fleet.accounts[1].pk: times(signed(condor), -1),
        }
    }


def test_the_latest_exit_step_says_what_is_left_and_why(fleet, condor):
    placed_set = filled(fleet, replace(condor, contracts=3))
    sync(fleet)
    asked, stuck, flat = fleet.accounts
    plan = times(signed(condor), 3)
    body = condor.legs[1].symbol
    exit_order = fleet.create(reverse(replace(condor, limit=Decimal(20))))
    step(placed_set, asked, order=exit_order, state=ExitState.WAITING, plan=plan, read_at=None)
    older = step(placed_set, stuck, state=ExitState.DONE, closed_at=timezone.now())
    newer = step(
        placed_set,
        stuck,
        order=exit_order,
        state=ExitState.RESIDUAL,
        why="No quote.",
        plan=plan,
        residual={body: -2},
    )
    now = timezone.now()
    done = {"state": ExitState.DONE, "closed_at": now, "flat_at": now}
    step(placed_set, flat, order=exit_order, residual=plan, **done)
    let_hold(fleet, flat, **dict.fromkeys(plan, 0))

    row = shown(placed_set)

    assert (row.status, row.flat_accounts, row.accounts_total) == ("CLOSING", 1, 3)
    assert row.exit is not None
    assert (row.exit.id, row.exit.status) == (exit_order.pk, "READY")
    first, second, third = row.accounts
    assert (first.state, first.residual, first.residual_by_leg) == ("WAITING", 3, plan)
    assert (second.state, second.why, second.step_id) == ("RESIDUAL", "No quote.", newer.pk)
    assert newer.pk > older.pk
    assert (second.residual, second.residual_by_leg) == (2, {body: -2})
    assert (third.is_flat, third.residual, third.held) == (True, 0, 0)

    ExitStep.objects.filter(account=asked).update(state=ExitState.DONE, closed_at=now)
    assert (shown(placed_set).status, shown(placed_set).exit) == ("RESIDUAL", None)
    PlacedOrderSet.objects.update(flat_at=now)
    assert shown(placed_set).status == "FLAT"


def test_the_newest_sets_come_first_and_flat_ones_can_be_left_out(fleet):
    sets = [filled(fleet, fleet.shares(n)) for n in (1, 2, 3)]
    PlacedOrderSet.objects.filter(pk=sets[1].pk).update(flat_at=timezone.now())

    assert [row.id for row in list_sets()] == [one.pk for one in sets[::-1]]
    assert [row.id for row in list_sets(open_only=True)] == [sets[2].pk, sets[0].pk]
    assert [row.id for row in list_sets(most=1)] == [sets[2].pk]


def test_a_set_that_is_not_there_is_none(db):
    assert find_set(404) is None


def test_sets_cost_the_same_queries_however_many_they_are(fleet, condor, django_assert_num_queries):
    single = filled(fleet, condor, accounts=fleet.accounts[:1])
    sync(fleet)
    with django_assert_num_queries(SIX):
        shown(single)
    for contracts in (1, 2, 3):
        placed_set = filled(fleet, replace(condor, contracts=contracts))
        for account in fleet.accounts:
            step(placed_set, account, order=single.order)

    with django_assert_num_queries(SIX):
        assert len(list_sets()) == 4


def test_a_read_without_a_new_fill_asks_for_sets_once(fleet, condor, django_assert_num_queries):
    placed_set = filled(fleet, condor)

    with django_assert_num_queries(1):
        keep_sets([placed_set.order_id], now=timezone.now())


def test_an_exit_is_priced_by_fresh_quotes_and_the_broker_is_asked(
    fleet, condor, prices, quotes_asked
):
    row = shown(filled(fleet, condor))

    found = exit_prices(row.order.closing_legs)
    again = exit_prices(row.order.closing_legs)

    assert (quotes_asked(), again) == (1, found)
    assert found.price_effect == PriceEffect.NET_DEBIT
    assert found.natural is not None
    assert found.mid is not None
    assert found.natural >= found.mid > 0


def test_without_an_answer_an_exit_has_no_price(fleet, condor, prices):
    row = shown(filled(fleet, condor))
    fleet.broker.fault("http_500", path="/quotes")

    found = exit_prices(row.order.closing_legs)

    assert (found.natural, found.mid) == (None, None)
