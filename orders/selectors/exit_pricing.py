"""The prices at which a set can be closed now."""

from collections.abc import Sequence

from orders.selectors import chains
from strategies.domain import pricing
from strategies.domain.pricing import ExitPrices
from strategies.domain.tickets import Leg

# An exit is priced by quotes as fresh as this.
PRICE_AGE_S = 2


def exit_prices(legs: Sequence[Leg]) -> ExitPrices:
    """Return the limits that legs can be closed at now, by fresh quotes; the broker may be asked.

    Args:
        legs: the closing ones, as they are sent.

    Errors: ImpossibleTrade.
    """
    symbols = [leg.symbol for leg in legs]
    market = chains.market_now(symbols, max_age_s=PRICE_AGE_S, may_ask=True)
    return pricing.exit_prices(legs, market)
