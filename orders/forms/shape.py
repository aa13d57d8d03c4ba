"""The part of a ticket that decides what the market is asked: trade, day, strikes, and how."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms

from orders.domain.shapes import Shape
from orders.selectors.picking import USUAL
from strategies.domain.catalog import VerticalKind
from strategies.domain.symbols import PutCall
from strategies.domain.tickets import Instruction, Strategy

STRATEGIES = [
    (Strategy.VERTICAL.value, "Vertical"),
    (Strategy.IRON_CONDOR.value, "Iron condor"),
    (Strategy.SINGLE_OPTION.value, "Single option"),
    (Strategy.EQUITY.value, "Shares"),
]
# The keys that switch an open ticket to a strategy.
STRATEGY_KEYS = {Strategy.VERTICAL: "v", Strategy.IRON_CONDOR: "c", Strategy.SINGLE_OPTION: "o"}
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
# How strikes are picked; `symmetric` gives both sides of a condor one width.
PICKS: Mapping[Strategy, tuple[str, ...]] = {
    Strategy.IRON_CONDOR: ("delta", "width", "symmetric"),
    Strategy.VERTICAL: ("delta", "width"),
    Strategy.SINGLE_OPTION: ("delta",),
    Strategy.EQUITY: (),
}

DEFAULTS = {
    "strategy": Strategy.IRON_CONDOR.value,
    "kind": VerticalKind.BULL_PUT.value,
    "side": PutCall.PUT.value,
    "underlying": "SPX",
}
_OPTION_WORDS = [word for word in Instruction if word.is_for_options]
_SHARE_WORDS = [word for word in Instruction if not word.is_for_options]


class Tick(forms.CheckboxInput):
    """A box whose hidden copy says the same as the box: `on`, or nothing."""

    def __init__(self) -> None:
        super().__init__(attrs={"value": "on"})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return "on" if super().value_from_datadict(data, files, name) else ""


class StrategyRadio(forms.RadioSelect):
    """Segments, each with the key that chooses it; `has_focus` when a dialog opens with them."""

    has_focus = False

    def create_option(self, *given: Any, **more: Any) -> dict[str, Any]:
        option = super().create_option(*given, **more)
        key = STRATEGY_KEYS.get(option["value"])
        if key is not None:
            option["attrs"] |= {"data-key": key, "data-key-words": f"New order: {option['label']}"}
        if self.has_focus and option["selected"]:
            option["attrs"]["autofocus"] = True
        return option


def number(label: str, *, required: bool = True) -> forms.DecimalField:
    """Return a field for a price, a strike or the like, typed as text."""
    box = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(
        label=label, required=required, max_digits=12, decimal_places=4, widget=box
    )


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

    strategy = forms.ChoiceField(choices=STRATEGIES, widget=StrategyRadio)
    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in VerticalKind], widget=forms.RadioSelect
    )
    instruction = forms.ChoiceField(label="Action", widget=forms.RadioSelect)
    side = forms.ChoiceField(choices=[("PUT", "Put"), ("CALL", "Call")], widget=forms.RadioSelect)
    underlying = forms.CharField(
        max_length=8,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "list": "underlyings"}
        ),
    )
    expiration = forms.DateField(widget=forms.Select)
    put_wing = number("Put wing (buy)")
    put_body = number("Put body (sell)")
    call_body = number("Call body (sell)")
    call_wing = number("Call wing (buy)")
    lower = number("Lower strike")
    upper = number("Upper strike")
    strike = number("Strike")
    delta = number("Pick by delta", required=False)
    width = number("Width", required=False)
    symmetric = forms.BooleanField(required=False, label="Same width on both sides", widget=Tick)

    def __init__(self, values: Mapping[str, Any], **options: Any) -> None:
        self.trade = strategy_of(values)
        # Ids differ by strategy, so that a morph never reuses a field for another meaning.
        super().__init__(auto_id=f"{self.trade.lower()}-%s", **options)
        words = _SHARE_WORDS if self.trade is Strategy.EQUITY else _OPTION_WORDS
        self._choices("instruction").choices = choices_of(words)
        if self.trade is not Strategy.EQUITY:
            self._choices("strategy").widget.choices = STRATEGIES[:-1]
        shown = {"strategy", *SHAPE_FIELDS[self.trade], *STRIKES[self.trade], *PICKS[self.trade]}
        for name in set(ShapeForm.base_fields) - shown:
            del self.fields[name]

    def clean_underlying(self) -> str:
        return str(self.cleaned_data["underlying"]).strip().upper().removeprefix("$")

    def clean_delta(self) -> Decimal | None:
        """Take a delta as people write it: 0.16, 16, −0.16."""
        typed: Decimal | None = self.cleaned_data["delta"]
        if typed is None:
            return None
        delta = abs(typed) if abs(typed) < 1 else abs(typed) / 100
        if not Decimal("0.01") <= delta <= Decimal("0.99"):
            raise forms.ValidationError("Give a delta from 0.01 to 0.99.")
        return delta

    def clean_width(self) -> Decimal | None:
        width: Decimal | None = self.cleaned_data["width"]
        if width is not None and width <= 0:
            raise forms.ValidationError("The width must be above zero.")
        return width

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

    def picks(self) -> tuple[Decimal, Decimal]:
        """Return the delta and the width typed, or the usual ones."""
        typed = self.cleaned_data
        return typed.get("delta") or USUAL.delta, typed.get("width") or USUAL.width

    def segments(self) -> list[forms.BoundField]:
        """Return what is chosen by pressing one of a few buttons."""
        names = ("strategy", "kind", "instruction", "side")
        hidden = {"strategy"} if self.trade is Strategy.EQUITY else set()
        return [self[name] for name in names if name in self.fields and name not in hidden]

    def focus(self) -> None:
        """Let the first control have the focus when a dialog opens with the form."""
        if self.trade is Strategy.EQUITY:
            self.fields["underlying"].widget.attrs["autofocus"] = True
        else:
            cast("StrategyRadio", self._choices("strategy").widget).has_focus = True

    def _choices(self, name: str) -> forms.ChoiceField:
        return cast("forms.ChoiceField", self.fields[name])


def choices_of(words: Sequence[Instruction]) -> list[tuple[str, str]]:
    """Return instructions as choices: `Buy to open`."""
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]
