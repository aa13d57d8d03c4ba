"""Draw a ticket with what the market offers, without touching what the agent typed."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import uuid4

from django.http import QueryDict

from brokerage.errors import BrokerError
from orders.domain.shapes import Shape
from orders.forms.dressing import MARKET, dress
from orders.forms.shape import STRIKES, ShapeForm
from orders.forms.ticket import DEFAULTS, TicketForm
from orders.selectors.account_choices import AccountMenu
from orders.selectors.offering import Offer, offer_of
from orders.selectors.picking import (
    Picking,
    Places,
    Strikes,
    all_listed,
    body_and_wing,
    mirror,
    move_body,
    pick_strikes,
    widen,
    width_of,
)
from orders.templatetags.desk import plain
from strategies.domain.symbols import InvalidSymbol, PutCall
from strategies.domain.ticks import round_to_tick, tick_for

PRICE_ACTS = frozenset({"mid", "natural", "up", "down"})


@dataclass(frozen=True, slots=True)
class Offered:
    """What the form offered last, so that what differs now was typed by the agent."""

    trade: str = ""
    day: str = ""
    strikes: str = ""
    limit: str = ""
    delta: str = ""
    width: str = ""

    @classmethod
    def read(cls, text: str) -> "Offered":
        """Read what `write` wrote; anything else means that nothing was offered."""
        parts = text.split("|")
        return cls(*parts) if len(parts) == 6 else cls()

    def write(self) -> str:
        return "|".join((self.trade, self.day, self.strikes, self.limit, self.delta, self.width))

    def strikes_read(self) -> Strikes:
        try:
            return tuple(map(Decimal, self.strikes.split()))
        except InvalidOperation:
            return ()


@dataclass(frozen=True, slots=True)
class Act:
    """What a button of the ticket asks for: a name, and a number behind a colon.

    `mid`, `natural`, `up` and `down` set the limit, `delta:0.16` and `width:5` pick strikes,
    `put:7200` and `call:7300` move one side there.
    """

    name: str = ""
    number: Decimal | None = None

    @classmethod
    def read(cls, text: str) -> "Act":
        """Read what stands on the button; what is none asks for nothing."""
        name, _, number = text.partition(":")
        try:
            found = Decimal(number) if number else None
        except InvalidOperation:
            return cls()
        return cls(name, found if found is None or found.is_finite() else None)


class Drawing:
    """What is typed in a ticket, on its way to what is drawn."""

    def __init__(self, typed: QueryDict) -> None:
        self.values = _filled(typed)
        self.act = Act.read(typed.get("act", ""))
        for name in ("delta", "width"):
            if self.act.name == name and self.act.number is not None:
                self.values[name] = plain(self.act.number)
        self.before = Offered.read(self.values.get("offered", ""))
        self.asked = ShapeForm(self.values, data=self.values)
        self.asked.full_clean()
        self.shape = self.asked.shape()

    @property
    def is_same_trade(self) -> bool:
        """Whether trade and day are those that were offered last."""
        day = f"{self.asked.cleaned_data.get('expiration') or ''}"
        return self.before.trade == _trade(self.shape) and self.before.day == day

    def ask(self, today: date) -> tuple[Offer | None, str]:
        """Return what the market offers, or why it offers nothing."""
        delta, width = self.asked.picks()
        try:
            offer = offer_of(
                self.shape,
                expiration=self.asked.cleaned_data.get("expiration"),
                choose=self._choose,
                today=today,
                picking=Picking(delta=delta, width=width),
                fresh=MARKET,
            )
        except (BrokerError, InvalidSymbol) as error:
            return None, str(error)
        return offer, ""

    def _choose(self, places: Places) -> Strikes | None:
        """Return the strikes that are meant: typed, moved, or None to pick them anew."""
        typed = self.asked.strikes()
        if typed is None:
            return None
        if not self.is_same_trade:
            is_typed = self.before.strikes != " ".join(map(plain, typed))
            return typed if is_typed and all_listed(self.shape, places, typed) else None
        if (moved := self._moved(places, typed)) is not None:
            return moved
        delta, width = self.asked.picks()
        if self._has_changed("delta"):
            return pick_strikes(self.shape, places, Picking(delta=delta, width=width)) or typed
        if self._has_changed("width"):
            return widen(self.shape, places, typed, width)
        if self.asked.cleaned_data.get("symmetric"):
            return mirror(self.shape, places, self.before.strikes_read(), typed)
        return typed

    def _moved(self, places: Places, typed: Strikes) -> Strikes | None:
        """Return the strikes after a click in the list of a side; None if there was none."""
        side = {"put": PutCall.PUT, "call": PutCall.CALL}.get(self.act.name)
        if side not in self.shape.sides or self.act.number is None:
            return None
        return move_body(self.shape, places, typed, side, self.act.number)

    def _has_changed(self, name: str) -> bool:
        """Tell whether a delta or a width was given after strikes were offered."""
        text = self.values.get(name, "")
        is_given = bool(text) and self.asked.cleaned_data.get(name) is not None
        return is_given and (self.act.name == name or text != getattr(self.before, name))

    def limit(self, offer: Offer | None) -> str:
        """Return the limit: as a button says, as typed, or else the market's mid."""
        typed = self.values.get("limit", "")
        mid = "" if offer is None else plain(offer.mid)
        if offer is not None and self.act.name in {"mid", "natural"}:
            return mid if self.act.name == "mid" else plain(offer.natural)
        if self.before.trade not in {"", _trade(self.shape)} or typed == self.before.limit:
            typed = ""  # nobody typed it, or for another trade
        if self.act.name in {"up", "down"} and offer is not None:
            return step(offer, typed or mid, up=self.act.name == "up")
        return typed or mid

    def write(self, offer: Offer) -> None:
        """Put what the market gives into the values."""
        names = STRIKES[self.shape.strategy]
        strikes = dict(zip(names, map(plain, offer.strikes), strict=False))
        for name, text in strikes.items():
            self.values[name] = text
        delta, _ = self.asked.picks()
        picked = pick_strikes(self.shape, offer.rows or {}, Picking(delta=delta, width=Decimal(1)))
        width = width_of(self.shape, offer.strikes)
        now = Offered(
            trade=_trade(self.shape),
            day=f"{offer.expiration or ''}",
            strikes=" ".join(strikes.values()),
            limit=plain(offer.mid),
            delta=plain(delta) if _have_same_bodies(self.shape, picked, offer.strikes) else "",
            width=plain(width),
        )
        given = {"root": offer.root, "offered": now.write()}
        for name, text in {**given, "delta": now.delta, "width": now.width}.items():
            self.values[name] = text
        if offer.expiration is not None:
            self.values["expiration"] = offer.expiration.isoformat()


def draw_ticket(typed: QueryDict, *, account_choices: AccountMenu, today: date) -> TicketForm:
    """Return a fresh form: the usual values, over them the market's, over them what was typed."""
    drawing = Drawing(typed)
    values, shape = drawing.values, drawing.shape
    offer, words = drawing.ask(today)
    values["limit"] = drawing.limit(offer)
    if offer is not None:
        drawing.write(offer)
    values["underlying"] = shape.underlying
    values["instruction"] = shape.instruction.value
    form = TicketForm(values, data=values, account_choices=account_choices, today=today)
    form.full_clean()
    dress(form, shape, offer, words)
    return form


def step(offer: Offer, typed: str, *, up: bool) -> str:
    """Return the next price on the tick above or below one that was typed, never below one tick."""
    structure = offer.structure
    try:
        now = Decimal(typed)
    except InvalidOperation:
        return typed
    if structure is None or not now.is_finite():
        return typed
    symbols = [leg.symbol for leg in structure.legs]
    tick = tick_for(structure.strategy, symbols, max(now, Decimal("0.01")))
    rounded = round_to_tick(now, tick, up=up)
    if rounded == now:
        rounded = now + tick if up else now - tick
    return plain(max(rounded, tick))


def _filled(typed: QueryDict) -> QueryDict:
    """Return the usual values, over them what was typed."""
    values = QueryDict(mutable=True)
    values.update(DEFAULTS)
    for name, texts in typed.lists():
        if name != "act" and any(texts):
            values.setlist(name, texts)
    if "intent" not in values:
        values["intent"] = str(uuid4())
        values.setdefault("symmetric", "on")
    return values


def _trade(shape: Shape) -> str:
    return f"{shape.strategy} {shape.underlying} {shape.kind} {shape.side}"


def _have_same_bodies(shape: Shape, picked: Strikes, strikes: Strikes) -> bool:
    """Tell whether the strikes near the market are those that a delta picks."""
    if len(picked) != len(strikes):
        return False
    places = {body_and_wing(shape, side)[0] for side in shape.sides}
    return bool(places) and all(picked[place] == strikes[place] for place in places)
