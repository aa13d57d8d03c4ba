"""What the agent asks of working or failed orders, and the form that closes everything."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.forms.boundfield import BoundWidget
from django.http import QueryDict

from orders.domain.errors import BadTicket, GuardRefused
from orders.domain.exits import Pricing
from orders.domain.guards import Guard
from orders.forms.ticket import CONFIRMATIONS
from orders.selectors.targets import Target
from orders.services.exits.everything import PHRASE
from strategies.domain.tickets import Problem

ALL, SOME = "all", "some"
NOT_THERE = "In the accounts you chose there is nothing to do any more. Look again."
NOBODY = "Choose at least one account."


class KeysField(forms.MultipleChoiceField):
    """Keys of targets, also of those that were targets a moment ago."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple)

    def valid_value(self, value: Any) -> bool:
        return True


class TargetsForm(forms.Form):
    """Says in which accounts: the button that was pressed means all, or those that are ticked."""

    scope = forms.ChoiceField(choices=[(ALL, ALL), (SOME, SOME)])
    accounts = KeysField()
    confirm = forms.MultipleChoiceField(required=False, choices=list(CONFIRMATIONS.items()))

    def __init__(self, typed: QueryDict | None, *, targets: Sequence[Target]) -> None:
        super().__init__(typed, auto_id="control-%s")
        self.targets = targets
        self.objections: list[tuple[Problem, str | None]] = []
        field = cast("forms.ChoiceField", self.fields["accounts"])
        field.choices = [(one.key, one.alias) for one in targets]

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if typed.get("scope") == SOME and not typed["accounts"]:
            self.add_error("accounts", NOBODY)
        elif typed.get("scope") and not self.chosen():
            self.add_error(None, NOT_THERE)
        return typed

    def chosen(self) -> list[UUID]:
        """Return the accounts that are meant, by name: no other one is touched."""
        keys, is_all = set(self.cleaned_data["accounts"]), self.cleaned_data["scope"] == ALL
        return [one.account_id for one in self.targets if is_all or one.key in keys]

    def confirmed(self) -> list[str]:
        """Return the guards whose objections the agent overrides."""
        return list(self.cleaned_data["confirm"])

    def boxes(self) -> list[tuple[Target, BoundWidget]]:
        """Return the accounts to choose from, each with its box."""
        return list(zip(self.targets, self["accounts"], strict=True))

    def unshown(self) -> list[forms.BoundField]:
        """Return what has no place of its own for its errors."""
        return [self["scope"], self["confirm"]]

    @property
    def is_choosing(self) -> bool:
        return bool(self["accounts"].value() or self["accounts"].errors)

    def refuse(self, error: Exception) -> None:
        """Show why nothing was done."""
        if isinstance(error, GuardRefused):
            problems = [*error.problems, *error.overridden]
            self.objections = [(one, CONFIRMATIONS.get(Guard(one.code))) for one in problems]
        elif isinstance(error, BadTicket):
            for problem in error.problems:
                field = problem.field if problem.field in self.fields else None
                self.add_error(field, problem.message)
        else:
            self.add_error(None, str(error))


class ReplaceForm(TargetsForm):
    """Takes the new limit as well; the service says whether it can be one."""

    limit = forms.DecimalField(
        label="New limit",
        max_digits=12,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class EverythingForm(forms.Form):
    """Takes the phrase that the agent must type, and how the exits are priced."""

    pricing = forms.ChoiceField(
        label="Exits are priced",
        choices=[
            (Pricing.NATURAL.value, "Natural"),
            (Pricing.MID.value, "Mid"),
            (Pricing.MARKET.value, "Market"),
        ],
        widget=forms.RadioSelect,
        initial=Pricing.NATURAL.value,
        help_text="Natural sells at the bid and buys at the ask. Market takes any price.",
    )
    phrase = forms.CharField(
        label=f"Type {PHRASE}",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    intent = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def unshown(self) -> list[forms.BoundField]:
        """Return what has no place of its own for its errors."""
        return [self["intent"]]

    def clean_phrase(self) -> str:
        typed = str(self.cleaned_data["phrase"])
        if typed != PHRASE:
            raise forms.ValidationError(f"Type exactly {PHRASE}. Nothing was changed.")
        return typed
