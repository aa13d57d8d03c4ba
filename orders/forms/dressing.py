"""Dress a ticket with the market: labels, choices, prices; check strikes against the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from brokerage.errors import BrokerError
from brokerage.schwab.replies import ChainRow
from orders.domain.shapes import Shape
from orders.forms.shape import STRIKES
from orders.forms.ticket import TicketForm
from orders.selectors.chains import Freshness
from orders.selectors.offering import Offer, make_offer
from orders.selectors.picking import around
from orders.templatetags.desk import option_words, plain, price
from strategies.domain.symbols import InvalidSymbol, PutCall
from strategies.domain.tickets import PriceEffect, Strategy

# A ticket that is drawn again while the agent tries strikes asks the broker no more often.
MARKET = Freshness(max_age_s=15)
# Typing asks nobody: what was read for the ticket is good enough to check numbers by.
REMEMBERED = Freshness(max_age_s=900, may_ask=False)
LADDER_ROWS = 6


def redraw_ticket(form: TicketForm) -> None:
    """Give a form with errors the market's choices again; every value stays as it was typed."""
    offer, words = ask_exactly(form, MARKET)
    dress(form, form.shape(), offer, words)


def check_listed(form: TicketForm) -> Offer | None:
    """Add an error for every strike that is not listed; None if the broker cannot say."""
    offer, form.market_words = ask_exactly(form, MARKET)
    shape = form.shape()
    form.offer = offer
    label(form, shape)
    if offer is None:
        return None
    strikes = zip(STRIKES[form.trade], shape.sides, form.strikes() or (), strict=False)
    for name, side, strike in strikes:
        if offer.row(side, strike) is None:
            form.add_error(name, f"There is no {side.lower()} at {price(strike)}.")
    return offer


def ask_exactly(form: TicketForm, fresh: Freshness) -> tuple[Offer | None, str]:
    """Return what the market offers for exactly what was typed, or why it offers nothing."""
    try:
        offer = make_offer(
            form.shape(),
            expiration=form.cleaned_data.get("expiration"),
            strikes=form.strikes(),
            exactly=True,
            today=form.today,
            fresh=fresh,
        )
    except (BrokerError, InvalidSymbol) as error:
        return None, str(error)
    return offer, ""


def dress(form: TicketForm, shape: Shape, offer: Offer | None, words: str) -> None:
    """Write labels, choices and prices into the fields."""
    form.market_words, form.offer = words, offer
    label(form, shape)
    if offer is None:
        return
    if offer.expirations:
        days: Any = form.fields["expiration"].widget
        days.choices = [(day.isoformat(), _day_words(day, form.today)) for day in offer.expirations]
        days.attrs["id"] = f"{form.trade.lower()}-expiration-{shape.underlying.lower()}"
    for name, side, strike in zip(STRIKES[form.trade], shape.sides, offer.strikes, strict=False):
        row = offer.row(side, strike)
        form[name].help_text = f"no such {side.lower()}" if row is None else option_words(row)
    if "limit" in form.fields:
        form["limit"].help_text = market_words(offer)


def strikes_of(
    side: PutCall, sides: Sequence[PutCall], strikes: Sequence[Decimal]
) -> list[Decimal]:
    """Return the strikes of one side, rising."""
    return sorted(strike for its, strike in zip(sides, strikes, strict=False) if its is side)


def label(form: TicketForm, shape: Shape) -> None:
    """Say what strikes and limit mean in this trade."""
    if shape.strategy is Strategy.VERTICAL:
        first, second = ("buy", "sell") if shape.kind.buys_lower else ("sell", "buy")
        form["lower"].label = f"Lower strike ({first})"
        form["upper"].label = f"Upper strike ({second})"
    form["limit"].label = _limit_label(shape)


def market_words(offer: Offer) -> str:
    """Say what the market pays now: `mid 1.25 · natural 1.15`."""
    if offer.mid is None or offer.natural is None:
        return "no price for these strikes"
    return f"mid {price(offer.mid)} · natural {price(offer.natural)}"


def _limit_label(shape: Shape) -> str:
    """Return what the limit is called: `Net credit`, `Net debit`, `Limit`."""
    if shape.strategy is Strategy.IRON_CONDOR:
        return "Net credit"
    if shape.strategy is Strategy.VERTICAL:
        gives = shape.kind.price_effect is PriceEffect.NET_CREDIT
        return "Net credit" if gives else "Net debit"
    return "Limit"


def _day_words(day: date, today: date) -> str:
    return f"{day:%m/%d/%Y} · {(day - today).days} d"


@dataclass(frozen=True, slots=True)
class LadderRow:
    """One strike of a side in the list beside a ticket.

    Args:
        act: what its button asks for: `put:7200`.
        mark: `buy` or `sell` where the trade has this strike, else nothing.
    """

    row: ChainRow
    act: str
    mark: str


def ladders(form: TicketForm, *, most: int = LADDER_ROWS) -> list[tuple[str, list[LadderRow]]]:
    """Return the strikes around the chosen ones of each side, with what a click on them does."""
    if form.offer is None or form.offer.structure is None:
        return []
    shape, strikes = form.shape(), form.offer.strikes
    legs = {
        leg.symbol: "buy" if leg.instruction.is_buy else "sell" for leg in form.offer.structure.legs
    }
    found = []
    for side in dict.fromkeys(shape.sides):
        mine = strikes_of(side, shape.sides, strikes)
        rows = around(form.offer.side(side), mine, most=most)
        act = side.lower()
        found.append(
            (
                f"{side.capitalize()}s",
                [LadderRow(r, f"{act}:{plain(r.strike)}", legs.get(r.symbol, "")) for r in rows],
            )
        )
    return found
