"""What a stock ticket comes to, beside the market of its symbol."""

from dataclasses import dataclass
from decimal import Decimal

from orders.selectors.chains import last_price
from orders.selectors.figuring import Figures
from orders.selectors.offering import Offer
from strategies.domain.symbols import quote_symbol
from strategies.domain.tickets import Ticket


@dataclass(frozen=True, slots=True)
class ShareFigures:
    """A stock ticket in numbers, USD per share.

    Args:
        last: what was traded last; None where nobody says.
        accounts: how many it goes to, with `shares` in all.
        price: what the notional is reckoned at: limit, stop, or else the natural price.
    """

    symbol: str
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    accounts: int = 0
    shares: int = 0
    price: Decimal | None = None

    @property
    def notional(self) -> Decimal | None:
        """What all of it is worth; None without a price."""
        return None if self.price is None or not self.shares else self.price * self.shares


def share_figures(
    offer: Offer | None, figures: Figures | None, ticket: Ticket | None
) -> ShareFigures | None:
    """Return the numbers as far as they can be told; None while nobody knows the symbol.

    Args:
        ticket: None while something is wrong with what is typed.
    """
    if offer is None or offer.structure is None:
        return None
    symbol = offer.structure.legs[0].symbol
    bid, ask = offer.market.get(symbol, (None, None))
    price = None
    if ticket is not None:
        price = ticket.limit or ticket.stop or offer.natural
    return ShareFigures(
        symbol=symbol,
        last=last_price(quote_symbol(symbol)),
        bid=bid,
        ask=ask,
        accounts=len(figures.sent) if figures else 0,
        shares=figures.contracts if figures else 0,
        price=price,
    )
