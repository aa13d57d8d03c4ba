"""The ticket: what the agent types, checked and turned into a trade."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.utils.safestring import SafeString

from accounts.domain.words import choices
from brokerage.schwab.replies import ChainRow
from orders.domain.errors import BadTicket, KeyReused
from orders.domain.guards import Guard
from orders.domain.shapes import Shape
from orders.selectors.account_choices import ALL_ACTIVE, read_choice
from orders.selectors.choosing import AccountChoice
from strategies.domain.catalog import ImpossibleTrade, Structure, VerticalKind
from strategies.domain.checks import EXPIRED, find_problems
from strategies.domain.symbols import InvalidSymbol, PutCall, default_root, underlying_of
from strategies.domain.tickets import (
    Duration,
    Instruction,
    OrderType,
    Problem,
    Strategy,
    Ticket,
)

STRATEGIES = [
    (Strategy.IRON_CONDOR.value, "Iron condor"),
    (Strategy.VERTICAL.value, "Vertical"),
    (Strategy.SINGLE_OPTION.value, "Option"),
    (Strategy.EQUITY.value, "Shares"),
]
STRIKES: Mapping[Strategy, tuple[str, ...]] = {
    Strategy.IRON_CONDOR: ("put_wing", "put_body", "call_body", "call_wing"),
    Strategy.VERTICAL: ("lower", "upper"),
    Strategy.SINGLE_OPTION: ("strike",),
    Strategy.EQUITY: (),
}
SHAPE_FIELDS: Mapping[Strategy, tuple[str, ...]] = {
    Strategy.IRON_CONDOR: ("underlying", "expiration"),
    Strategy.VERTICAL: ("kind", "underlying", "expiration"),
    Strategy.SINGLE_OPTION: ("instruction", "side", "underlying", "expiration"),
    Strategy.EQUITY: ("instruction", "underlying"),
}
TERMS = ("contracts", "limit", "duration", "accounts")

# What the agent agrees to where a guard objects; it is asked for in the review, and never kept.
CONFIRMATIONS = {
    Guard.DUPLICATE_ORDER: "Send anyway: the same order once more",
    Guard.PRICE_AWAY: "Send anyway: at this limit",
    Guard.NO_MARKET_MULTILEG: "Send anyway: at any price",
    Guard.BUYING_POWER: "Send anyway: the broker may refuse some",
}

DEFAULTS = {
    "strategy": Strategy.IRON_CONDOR.value,
    "kind": VerticalKind.BULL_PUT.value,
    "side": PutCall.PUT.value,
    "underlying": "SPX",
    "contracts": "1",
    "duration": Duration.DAY.value,
    "accounts": ALL_ACTIVE,
}
_OPTION_WORDS = [word for word in Instruction if word.is_for_options]
_SHARE_WORDS = [word for word in Instruction if not word.is_for_options]


def _number(label: str) -> forms.DecimalField:
    box = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, max_digits=12, decimal_places=4, widget=box)


def strategy_of(values: Mapping[str, Any]) -> Strategy:
    """Return the strategy named in what was sent; an unknown name is the usual one."""
    try:
        return Strategy(str(values.get("strategy")))
    except ValueError:
        return Strategy(DEFAULTS["strategy"])


class ShapeForm(forms.Form):
    """The part of a ticket that decides what the market is asked.

    Args:
        values: what was typed; it also decides which fields there are.
    """

    strategy = forms.ChoiceField(choices=STRATEGIES, widget=forms.RadioSelect)
    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in VerticalKind], widget=forms.RadioSelect
    )
    instruction = forms.ChoiceField(label="Action")
    side = forms.ChoiceField(choices=[("PUT", "Put"), ("CALL", "Call")], widget=forms.RadioSelect)
    underlying = forms.CharField(
        max_length=8, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    expiration = forms.DateField(widget=forms.Select)
    put_wing = _number("Put wing (buy)")
    put_body = _number("Put body (sell)")
    call_body = _number("Call body (sell)")
    call_wing = _number("Call wing (buy)")
    lower = _number("Lower strike")
    upper = _number("Upper strike")
    strike = _number("Strike")

    def __init__(self, values: Mapping[str, Any], **options: Any) -> None:
        self.trade = strategy_of(values)
        # Ids differ by strategy, so that a morph never reuses a field for another meaning.
        super().__init__(auto_id=f"{self.trade.lower()}-%s", **options)
        words = _SHARE_WORDS if self.trade is Strategy.EQUITY else _OPTION_WORDS
        self._choices("instruction").choices = choices_of(words)
        shown = {"strategy", *SHAPE_FIELDS[self.trade], *STRIKES[self.trade]}
        for name in set(ShapeForm.base_fields) - shown:
            del self.fields[name]

    def clean_underlying(self) -> str:
        return str(self.cleaned_data["underlying"]).strip().upper().removeprefix("$")

    def shape(self) -> Shape:
        """Return the shape typed; what is missing or wrong in it is the usual."""
        typed = self.cleaned_data
        first = Instruction.BUY if self.trade is Strategy.EQUITY else Instruction.BUY_TO_OPEN
        return Shape(
            strategy=self.trade,
            underlying=typed.get("underlying") or DEFAULTS["underlying"],
            kind=VerticalKind(typed.get("kind") or DEFAULTS["kind"]),
            side=PutCall(typed.get("side") or DEFAULTS["side"]),
            instruction=Instruction(typed.get("instruction") or first),
        )

    def strikes(self) -> tuple[Decimal, ...] | None:
        """Return the strikes typed, or None unless all are there."""
        typed = [self.cleaned_data.get(name) for name in STRIKES[self.trade]]
        return tuple(one for one in typed if one is not None) if all(typed) else None

    def _choices(self, name: str) -> forms.ChoiceField:
        return cast("forms.ChoiceField", self.fields[name])


class TicketForm(ShapeForm):
    """A whole ticket; `clean` builds the trade and finds everything wrong with it.

    Args:
        account_choices: which accounts it may go to, from selectors.account_choices.
        today: the date at the exchange.
    """

    contracts = forms.IntegerField(
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )
    limit = _number("Limit")
    duration = forms.ChoiceField(choices=choices(Duration))
    accounts = forms.ChoiceField()
    intent = forms.UUIDField(widget=forms.HiddenInput)
    root = forms.CharField(required=False, max_length=6, widget=forms.HiddenInput)
    offered = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    confirm = forms.MultipleChoiceField(required=False, choices=list(CONFIRMATIONS.items()))

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        account_choices: Sequence[tuple[str, str]],
        today: date,
        **options: Any,
    ) -> None:
        super().__init__(values, **options)
        self.today = today
        self.market_words = ""
        self.listed: Sequence[tuple[str, Sequence[ChainRow]]] = ()
        self._ticket: Ticket | None = None
        self._choices("accounts").choices = account_choices
        if self.trade is Strategy.EQUITY:
            self.fields["contracts"].label = "Shares"

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                self._ticket = self._build()
            except ImpossibleTrade as error:
                self.add_problems(error.problems)
            except InvalidSymbol as error:
                self.add_error("underlying", str(error))
            else:
                self.add_problems(find_problems(self._ticket, today=self.today))
        return self.cleaned_data

    @property
    def ticket(self) -> Ticket:
        """The trade, once the form is valid."""
        if self._ticket is None:
            raise ValueError("An invalid form makes no ticket.")
        return self._ticket

    def choice(self) -> AccountChoice:
        """Return which accounts it goes to."""
        return read_choice(self.cleaned_data["accounts"])

    def shape_fields(self) -> list[tuple[forms.BoundField, int]]:
        """Return what decides the offer, with the columns each field takes."""
        wide = {"strategy", "kind", "strike"}
        return [(self[name], 4 if name in wide else 2) for name in self._asked()]

    def terms(self) -> list[forms.BoundField]:
        """Return price, size and destination, once there is something to price."""
        return [] if self.market_words else [self[name] for name in TERMS]

    def unseen(self) -> list[SafeString]:
        """Return hidden inputs for all that is kept and not shown."""
        seen = {"confirm", *self._asked(), *(field.name for field in self.terms())}
        return [field.as_hidden() for field in self if field.name not in seen]

    def _asked(self) -> list[str]:
        shape = ("strategy", *SHAPE_FIELDS[self.trade])
        if self.market_words:
            return [name for name in shape if name != "expiration"]
        return [*shape, *STRIKES[self.trade]]

    def hidden_copy(self) -> list[SafeString]:
        """Return everything typed as hidden fields, for the step after this one."""
        return [field.as_hidden() for field in self if field.name != "confirm"]

    def confirmed(self) -> list[str]:
        """Return the guards whose objections the agent overrides."""
        return list(self.cleaned_data["confirm"])

    def add_problems(self, problems: Sequence[Problem]) -> None:
        """Show problems beside the fields they belong to."""
        for problem in problems:
            self.add_error(self._field_of(problem), problem.message)

    def refuse(self, error: Exception) -> None:
        """Show why the ticket was not sent; a key that belongs to another order is replaced."""
        if isinstance(error, BadTicket):
            self.add_problems(error.problems)
        elif isinstance(error, KeyReused):
            self.data = {**{name: self.data[name] for name in self.data}, "intent": str(uuid4())}
            words = "This ticket was sent before, with other content: see the list. "
            self.add_error(None, words + "Review it again to send this as one more order.")
        else:
            self.add_error(None, str(error))

    def _build(self) -> Ticket:
        structure = self._structure()
        typed = self.cleaned_data
        return Ticket(
            strategy=self.trade,
            legs=structure.legs,
            order_type=OrderType.LIMIT,
            contracts=typed["contracts"],
            limit=typed["limit"],
            price_effect=structure.price_effect,
            duration=Duration(typed["duration"]),
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

    def _field_of(self, problem: Problem) -> str | None:
        if problem.field in self.fields:
            return problem.field
        if problem.code == EXPIRED:
            return "expiration"
        if problem.field.startswith("legs[") and problem.field.endswith(".symbol"):
            names = STRIKES[self.trade] or ("underlying",)
            index = int(problem.field[5 : problem.field.index("]")])
            return names[min(index, len(names) - 1)]
        return None


def choices_of(words: Sequence[Instruction]) -> list[tuple[str, str]]:
    """Return instructions as choices: `Buy to open`."""
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]
