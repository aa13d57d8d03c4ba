"""The prices at which a set can be closed now."""

from collections.abc import Mapping, Sequence

from orders.selectors import chains
from strategies.domain import pricing
from strategies.domain.pricing import ExitPrices
from strategies.domain.tickets import Leg

# An exit is priced by quotes as fresh as this.
PRICE_AGE_S = 2
# A list shows what somebody looked at so long ago, and asks nobody.
REMEMBERED_AGE_S = 60


def exit_prices(legs: Sequence[Leg]) -> ExitPrices:
    """Return the limits that legs can be closed at now, by fresh quotes; the broker may be asked.

    Args:
        legs: the closing ones, as they are sent.

    Errors: ImpossibleTrade.
    """
    symbols = [leg.symbol for leg in legs]
    market = chains.market_now(symbols, max_age_s=PRICE_AGE_S, may_ask=True)
    return pricing.exit_prices(legs, market)


def remembered_exit_prices(legs: Mapping[int, Sequence[Leg]]) -> dict[int, ExitPrices]:
    """Return by set what closing it costs or brings by quotes of the last minute; nobody is asked.

    Args:
        legs: the closing ones, by set.
    """
    symbols = sorted({leg.symbol for ones in legs.values() for leg in ones})
    market = chains.market_now(symbols, max_age_s=REMEMBERED_AGE_S, may_ask=False)
    return {pk: pricing.exit_prices(ones, market) for pk, ones in legs.items()}
