"""The ticket: what the agent types, checked and turned into a trade."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.forms.boundfield import BoundWidget
from django.http import QueryDict
from django.utils.safestring import SafeString

from accounts.domain.words import choices
from orders.domain.errors import BadTicket, KeyReused
from orders.domain.guards import Guard
from orders.forms.shape import DEFAULTS as SHAPE_DEFAULTS
from orders.forms.shape import PICKS, STRIKES, ShapeForm, number
from orders.selectors.account_choices import ALL_ACTIVE, ALL_BUT, ONLY, AccountMenu, read_choice
from orders.selectors.choosing import AccountChoice
from orders.selectors.offering import Offer
from orders.selectors.suggesting import suggest_underlyings
from strategies.domain.catalog import ImpossibleTrade, Structure
from strategies.domain.checks import EXPIRED, find_problems
from strategies.domain.symbols import InvalidSymbol, default_root, underlying_of
from strategies.domain.tickets import (
    Duration,
    OrderType,
    Problem,
    Session,
    Strategy,
    Ticket,
)

LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
# What the terms of a trade are; those that its order type has no use for stay out of sight.
TERMS: Mapping[Strategy, tuple[str, ...]] = {
    Strategy.IRON_CONDOR: ("contracts", "limit", "duration", "accounts"),
    Strategy.VERTICAL: ("contracts", "limit", "duration", "accounts"),
    Strategy.SINGLE_OPTION: ("contracts", "order_type", "limit", "stop", "duration", "accounts"),
    Strategy.EQUITY: (
        "contracts",
        "order_type",
        "limit",
        "stop",
        "duration",
        "session",
        "accounts",
    ),
}

# What the agent agrees to where a guard objects; it is asked for in the review, and never kept.
CONFIRMATIONS = {
    Guard.DUPLICATE_ORDER: "Send anyway: the same order once more",
    Guard.PRICE_AWAY: "Send anyway: at this limit",
    Guard.NO_MARKET_MULTILEG: "Send anyway: at any price",
    Guard.BUYING_POWER: "Send anyway: the broker may refuse some",
}

DEFAULTS = {
    **SHAPE_DEFAULTS,
    "contracts": "1",
    "order_type": OrderType.LIMIT.value,
    "duration": Duration.DAY.value,
    "session": Session.NORMAL.value,
    "accounts": ALL_ACTIVE,
}


def order_type_of(values: Mapping[str, Any]) -> OrderType:
    """Return the order type named in what was sent; without one it is LIMIT."""
    try:
        return OrderType(str(values.get("order_type") or OrderType.LIMIT))
    except ValueError:
        return OrderType.LIMIT


class TicketForm(ShapeForm):
    """A whole ticket; `clean` builds the trade and finds everything wrong with it.

    Args:
        account_choices: which accounts it may go to, from selectors.account_choices.
        today: the date at the exchange.
    """

    contracts = forms.IntegerField(
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )
    order_type = forms.ChoiceField(choices=choices(OrderType), label="Type")
    limit = number("Limit", required=False)
    stop = number("Stop", required=False)
    duration = forms.ChoiceField(choices=choices(Duration))
    session = forms.ChoiceField(choices=choices(Session))
    accounts = forms.ChoiceField()
    picked = forms.TypedMultipleChoiceField(
        label="Accounts", coerce=UUID, required=False, widget=forms.CheckboxSelectMultiple
    )
    intent = forms.UUIDField(widget=forms.HiddenInput)
    root = forms.CharField(required=False, max_length=6, widget=forms.HiddenInput)
    offered = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    confirm = forms.MultipleChoiceField(required=False, choices=list(CONFIRMATIONS.items()))

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        account_choices: AccountMenu,
        today: date,
        **options: Any,
    ) -> None:
        super().__init__(values, **options)
        self.today = today
        self.market_words = ""
        self.offer: Offer | None = None
        self._ticket: Ticket | None = None
        self._menu = account_choices
        self._choices("accounts").choices = account_choices.choices
        self._choices("picked").choices = [(pk, alias) for pk, alias, _ in account_choices.accounts]
        for name in {"order_type", "stop", "session"} - set(TERMS[self.trade]):
            del self.fields[name]
        has_type = "order_type" in self.fields
        self.priced_as = order_type_of(values) if has_type else OrderType.LIMIT
        self.fields["contracts"].label = "Shares" if self.is_for_shares else "Contracts"
        for name in {*STRIKES[self.trade], *PICKS[self.trade], *TERMS[self.trade]}:
            if name in self.fields:
                self.fields[name].widget.attrs["aria-describedby"] = f"{self[name].auto_id}_notes"

    def clean(self) -> dict[str, Any]:
        for name in {"limit", "stop"} & set(self.errors) - set(self._terms()):
            del self.errors[name]  # the order type has no use for it
        if not self.errors:
            self._check()
        return self.cleaned_data

    def _check(self) -> None:
        try:
            self._ticket = self._build()
        except ImpossibleTrade as error:
            self.add_problems(error.problems)
        except InvalidSymbol as error:
            self.add_error("underlying", str(error))
        else:
            self.add_problems(find_problems(self._ticket, today=self.today))

    @property
    def ticket(self) -> Ticket:
        """The trade, once the form is valid."""
        if self._ticket is None:
            raise ValueError("An invalid form makes no ticket.")
        return self._ticket

    @property
    def is_for_shares(self) -> bool:
        return self.trade is Strategy.EQUITY

    @property
    def title(self) -> str:
        return "New stock order" if self.is_for_shares else "New option order"

    @property
    def family(self) -> str:
        """What its form is called on a page that may have one of each.

        It is the same for all options: a browser must not see the form replaced while a field of it
        has the focus and points to a list of suggestions (Chromium 156 dies of that).
        """
        return "shares" if self.is_for_shares else "options"

    @property
    def has_types(self) -> bool:
        """Whether its order type can be chosen."""
        return "order_type" in self.fields

    def suggestions(self) -> list[str]:
        """Return underlyings to choose from, beside any other that is typed."""
        return suggest_underlyings(shares=self.is_for_shares)

    def choice(self) -> AccountChoice:
        """Return which accounts it goes to."""
        return read_choice(self.cleaned_data["accounts"], self.cleaned_data["picked"])

    def market_fields(self) -> list[forms.BoundField]:
        """Return the underlying and its expiration; without prices there is none to choose."""
        names = [name for name in ("underlying", "expiration") if name in self.fields]
        return [self[name] for name in names if name != "expiration" or not self.market_words]

    def strike_fields(self) -> list[forms.BoundField]:
        return [] if self.market_words else [self[name] for name in STRIKES[self.trade]]

    def pick_fields(self) -> list[forms.BoundField]:
        """Return what strikes are picked by."""
        return [] if self.market_words else [self[name] for name in PICKS[self.trade]]

    def terms(self) -> list[forms.BoundField]:
        """Return price, size and destination, once there is something to price."""
        return [] if self.market_words else [self[name] for name in self._terms()]

    def unseen(self) -> list[SafeString]:
        """Return hidden inputs for all that is kept and not shown."""
        shown = [*self.market_fields(), *self.strike_fields(), *self.pick_fields(), *self.terms()]
        seen = {"confirm", *(field.name for field in [*self.segments(), *shown])}
        if shown and self.terms():
            seen.add("picked")
        return [field.as_hidden() for field in self if field.name not in seen]

    def boxes(self) -> list[tuple[BoundWidget, bool]]:
        """Return a box for every account, and whether the account is switched on."""
        boxes = list(self["picked"])
        active = [is_active for _, _, is_active in self._menu.accounts]
        return list(zip(boxes, active, strict=True))

    @property
    def is_picking(self) -> bool:
        """Whether the boxes decide which accounts it goes to."""
        return self["accounts"].value() in {ONLY, ALL_BUT}

    def hidden_copy(self) -> list[SafeString]:
        """Return everything typed as hidden fields, for the step after this one."""
        return [field.as_hidden() for field in self if field.name != "confirm"]

    def confirmed(self) -> list[str]:
        """Return the guards whose objections the agent overrides."""
        return list(self.cleaned_data["confirm"])

    def add_problems(self, problems: Sequence[Problem]) -> None:
        """Show problems beside the fields they belong to."""
        for problem in problems:
            self.add_error(self.field_of(problem), problem.message)

    def refuse(self, error: Exception) -> None:
        """Show why the ticket was not sent; a key that belongs to another order is replaced."""
        if isinstance(error, BadTicket):
            self.add_problems(error.problems)
        elif isinstance(error, KeyReused):
            fresh = cast("QueryDict", self.data).copy()
            fresh["intent"] = str(uuid4())
            self.data = fresh
            words = "This ticket was sent before, with other content: see the list. "
            self.add_error(None, words + "Review it again to send this as one more order.")
        else:
            self.add_error(None, str(error))

    def field_of(self, problem: Problem) -> str | None:
        """Return the field that a problem belongs to, None if it is the whole ticket's."""
        if problem.field in self.fields:
            return problem.field
        if problem.code == EXPIRED and "expiration" in self.fields:
            return "expiration"
        if problem.field.startswith("legs[") and problem.field.endswith(".symbol"):
            names = STRIKES[self.trade] or ("underlying",)
            index = int(problem.field[5 : problem.field.index("]")])
            return names[min(index, len(names) - 1)]
        return None

    def structure(self) -> Structure | None:
        """Return the trade that shape, day and strikes make, whatever the terms; None if none."""
        try:
            return self._structure()
        except (ImpossibleTrade, InvalidSymbol, KeyError, ValueError):
            return None

    def _terms(self) -> list[str]:
        useless = set()
        if self.priced_as not in LIMITED:
            useless.add("limit")
        if self.priced_as not in STOPPED:
            useless.add("stop")
        return [name for name in TERMS[self.trade] if name not in useless]

    def _build(self) -> Ticket:
        structure = self._structure()
        typed, terms = self.cleaned_data, self._terms()
        return Ticket(
            strategy=self.trade,
            legs=structure.legs,
            order_type=self.priced_as,
            contracts=typed["contracts"],
            limit=typed["limit"] if "limit" in terms else None,
            stop=typed["stop"] if "stop" in terms else None,
            price_effect=structure.price_effect,
            duration=Duration(typed["duration"]),
            session=Session(typed.get("session") or Session.NORMAL),
        )

    def _structure(self) -> Structure:
        shape = self.shape()
        if self.trade is Strategy.EQUITY:
            return shape.build_shares()
        root = self.cleaned_data["root"]
        if underlying_of(root) != underlying_of(default_root(shape.underlying)):
            raise InvalidSymbol(f"The strikes are not those of {shape.underlying}. Update them.")
        return shape.build(
            root=root, expiration=self.cleaned_data["expiration"], strikes=self.strikes() or ()
        )
