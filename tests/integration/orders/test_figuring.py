"""What a ticket comes to over a fleet: payoff, chance, risk and buying power by account type."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import AccountKind
from accounts.models import Account
from orders.domain.shapes import Shape
from orders.selectors.choosing import AccountChoice
from orders.selectors.figuring import figure
from orders.selectors.guarding import judge
from orders.selectors.offering import make_offer
from strategies.domain.catalog import VerticalKind
from strategies.domain.new_york import exchange_date
from strategies.domain.symbols import PutCall, parse_option
from strategies.domain.tickets import Instruction, OrderType, Strategy, Ticket

TODAY = exchange_date(timezone.now())


def shape(strategy, **more):
    fields = {
        "underlying": "SPX",
        "kind": VerticalKind.BULL_PUT,
        "side": PutCall.PUT,
        "instruction": Instruction.SELL_TO_OPEN,
    }
    return Shape(strategy=strategy, **(fields | more))


def offer_for(wished):
    return make_offer(wished, expiration=None, strikes=None, exactly=False, today=TODAY)


def figures_of(offer, *, limit=None, contracts=1, order_type=OrderType.LIMIT):
    structure = offer.structure
    ticket = Ticket(
        strategy=structure.strategy,
        legs=structure.legs,
        order_type=order_type,
        contracts=contracts,
        limit=limit,
        price_effect=structure.price_effect,
    )
    judged = judge(ticket, AccountChoice(), market=offer.market, now=timezone.now(), today=TODAY)
    return figure(
        structure, limit=limit, contracts=contracts, offer=offer, judged=judged, today=TODAY
    )


def test_a_condor_risks_its_width_less_the_credit_in_every_account(fleet):
    found = figures_of(offer_for(shape(Strategy.IRON_CONDOR)), limit=Decimal("1.00"), contracts=2)

    assert (found.curve.max_gain, found.curve.max_loss) == (200, -800)
    assert (found.at_risk, found.most) == (2400, 600)
    assert found.power == 2400
    assert (found.contracts, found.accounts) == (6, 3)


def test_the_chance_of_a_sold_put_is_near_one_minus_its_delta(fleet):
    offer = offer_for(shape(Strategy.SINGLE_OPTION))

    found = figures_of(offer, limit=offer.mid)

    strike = parse_option(offer.structure.legs[0].symbol).strike
    delta = offer.row(PutCall.PUT, strike).delta
    assert found.chance == pytest.approx(1 + delta, abs=Decimal("0.04"))


def test_multipliers_count_in_what_all_accounts_risk(fleet):
    Account.objects.filter(pk=fleet.accounts[0].pk).update(multiplier=Decimal(3))

    found = figures_of(offer_for(shape(Strategy.IRON_CONDOR)), limit=Decimal("1.00"))

    assert (found.contracts, found.at_risk) == (5, 2000)
    assert found.curve.max_loss == -400


def test_a_cash_account_ties_up_the_whole_strike_of_a_put(fleet):
    offer = offer_for(shape(Strategy.SINGLE_OPTION, underlying="SPY"))
    strike = parse_option(offer.structure.legs[0].symbol).strike
    Account.objects.filter(pk=fleet.accounts[0].pk).update(kind=AccountKind.CASH)

    found = figures_of(offer, limit=Decimal("1.00"))

    assert found.power == (strike - 1) * 100 + 2 * strike * 10


def test_a_market_order_is_figured_at_the_natural_price(fleet):
    offer = offer_for(shape(Strategy.SINGLE_OPTION, instruction=Instruction.BUY_TO_OPEN))

    found = figures_of(offer, order_type=OrderType.MARKET)

    assert found.curve.max_loss == -offer.natural * 100


def test_what_closes_has_no_payoff_of_its_own(fleet):
    offer = offer_for(shape(Strategy.SINGLE_OPTION, instruction=Instruction.BUY_TO_CLOSE))

    found = figures_of(offer, limit=Decimal("1.00"))

    assert found.curve is None
    assert found.accounts == 3


def test_shares_have_a_line_and_no_chance(fleet):
    offer = offer_for(shape(Strategy.EQUITY, underlying="AAPL", instruction=Instruction.BUY))

    found = figures_of(offer, limit=Decimal("100.00"), contracts=10)

    assert (found.curve.max_loss, found.curve.max_gain, found.chance) == (-1000, None, None)
    assert found.power == 3 * 500
