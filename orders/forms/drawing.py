"""Draw a ticket with what the market offers, without touching what the agent typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from brokerage.errors import BrokerError
from orders.domain.shapes import Shape
from orders.forms.ticket import DEFAULTS, STRIKES, ShapeForm, TicketForm
from orders.selectors.offering import Offer, make_offer
from orders.templatetags.desk import option_words, plain, price
from strategies.domain.symbols import InvalidSymbol
from strategies.domain.tickets import PriceEffect, Strategy


@dataclass(frozen=True, slots=True)
class Offered:
    """What the form offered last, so that what differs now was typed by the agent."""

    trade: str = ""
    day: str = ""
    strikes: str = ""
    limit: str = ""

    @classmethod
    def read(cls, text: str) -> "Offered":
        """Read what `write` wrote; anything else means that nothing was offered."""
        parts = text.split("|")
        return cls(*parts) if len(parts) == 4 else cls()

    @classmethod
    def of(cls, shape: Shape, offer: Offer) -> "Offered":
        return cls(
            trade=_trade(shape),
            day=f"{offer.expiration or ''}",
            strikes=" ".join(map(plain, offer.strikes)),
            limit=plain(offer.mid),
        )

    def write(self) -> str:
        return "|".join((self.trade, self.day, self.strikes, self.limit))


def draw_ticket(
    typed: Mapping[str, str], *, account_choices: Sequence[tuple[str, str]], today: date
) -> TicketForm:
    """Return a fresh form: the usual values, over them the market's, over them what was typed."""
    values = DEFAULTS | {name: text for name, text in typed.items() if text}
    values.setdefault("intent", str(uuid4()))
    asked = ShapeForm(values, data=values)
    asked.full_clean()
    shape = asked.shape()
    before = Offered.read(values.get("offered", ""))
    limit = values.pop("limit", "")
    if limit != before.limit and before.trade in {"", _trade(shape)}:
        values["limit"] = limit  # else nobody typed it, or for another trade
    offer, words = _ask(asked, before, today)
    if offer is not None:
        values |= _offered_values(shape, offer, values.get("limit", ""))
    values |= {"underlying": shape.underlying, "instruction": shape.instruction.value}
    form = TicketForm(values, initial=values, account_choices=account_choices, today=today)
    _dress(form, shape, offer, words)
    return form


def redraw_ticket(form: TicketForm) -> None:
    """Give a form with errors the market's choices again; every value stays as it was typed."""
    offer, words = _ask(form, None, form.today)
    _dress(form, form.shape(), offer, words)


def check_listed(form: TicketForm) -> Offer | None:
    """Add an error for every strike that is not listed; None if the broker cannot say."""
    offer, form.market_words = _ask(form, None, form.today)
    shape = form.shape()
    _label(form, shape)
    if offer is None:
        return None
    strikes = zip(STRIKES[form.trade], shape.sides, form.strikes() or (), strict=False)
    for name, side, strike in strikes:
        if offer.row(side, strike) is None:
            form.add_error(name, f"There is no {side.lower()} at {price(strike)}.")
    return offer


def _ask(asked: ShapeForm, before: Offered | None, today: date) -> tuple[Offer | None, str]:
    """Ask for an offer; with nothing to compare with, exactly what was typed.

    New strikes are picked when the trade or its day changed and nobody touched the old ones.
    """
    strikes = asked.strikes()
    expiration = asked.cleaned_data.get("expiration")
    exactly = before is None
    if before is not None and strikes is not None:
        is_same = before.day == f"{expiration or ''}" and before.trade == _trade(asked.shape())
        is_typed = before.strikes != " ".join(map(plain, strikes))
        exactly = is_same
        strikes = strikes if is_same or is_typed else None
    try:
        return (
            make_offer(
                asked.shape(),
                expiration=expiration,
                strikes=strikes,
                exactly=exactly,
                today=today,
            ),
            "",
        )
    except (BrokerError, InvalidSymbol) as error:
        return None, str(error)


def _trade(shape: Shape) -> str:
    return f"{shape.strategy} {shape.underlying} {shape.kind} {shape.side}"


def _offered_values(shape: Shape, offer: Offer, limit: str) -> dict[str, str]:
    """Return the values the market gives; the limit follows the mid until somebody types one."""
    now = Offered.of(shape, offer)
    names = STRIKES[shape.strategy]
    values = dict(zip(names, map(plain, offer.strikes), strict=False))
    values |= {"root": offer.root, "offered": now.write(), "limit": limit or now.limit}
    if offer.expiration is not None:
        values["expiration"] = offer.expiration.isoformat()
    return values


def _dress(form: TicketForm, shape: Shape, offer: Offer | None, words: str) -> None:
    """Write labels, choices and prices into the fields."""
    form.market_words = words
    _label(form, shape)
    if offer is None:
        return
    if offer.expirations:
        days: Any = form.fields["expiration"].widget
        days.choices = [(day.isoformat(), _day_words(day, form.today)) for day in offer.expirations]
        days.attrs["id"] = f"{form.trade.lower()}-expiration-{shape.underlying.lower()}"
    form.listed = [(side.lower(), offer.side(side)) for side in dict.fromkeys(shape.sides)]
    for name, side, strike in zip(STRIKES[form.trade], shape.sides, offer.strikes, strict=False):
        row = offer.row(side, strike)
        form.fields[name].widget.attrs["list"] = side.lower()
        form[name].help_text = f"no such {side.lower()}" if row is None else option_words(row)
    form["limit"].help_text = market_words(offer)


def _label(form: TicketForm, shape: Shape) -> None:
    if shape.strategy is Strategy.VERTICAL:
        first, second = ("buy", "sell") if shape.kind.buys_lower else ("sell", "buy")
        form["lower"].label = f"Lower strike ({first})"
        form["upper"].label = f"Upper strike ({second})"
    form["limit"].label = _limit_label(shape)


def _limit_label(shape: Shape) -> str:
    """Return what the limit is called: `Net credit`, `Net debit`, `Limit`."""
    if shape.strategy is Strategy.IRON_CONDOR:
        return "Net credit"
    if shape.strategy is Strategy.VERTICAL:
        gives = shape.kind.price_effect is PriceEffect.NET_CREDIT
        return "Net credit" if gives else "Net debit"
    return "Limit"


def market_words(offer: Offer) -> str:
    """Say what the market pays now: `mid 1.25 · natural 1.15`."""
    if offer.mid is None or offer.natural is None:
        return "no price for these strikes"
    return f"mid {price(offer.mid)} · natural {price(offer.natural)}"


def _day_words(day: date, today: date) -> str:
    return f"{day:%m/%d/%Y} · {(day - today).days} d"
