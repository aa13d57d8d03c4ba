"""The terms of an exit: how it is priced, how much of the set, in which accounts."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.forms.boundfield import BoundWidget
from django.http import QueryDict
from django.utils.safestring import SafeString

from orders.domain.errors import BadTicket, GuardRefused, KeyReused
from orders.domain.exits import MOST_PERCENT, ExitTerms, Pricing
from orders.domain.guards import Guard
from orders.forms.ticket import CONFIRMATIONS
from orders.selectors.exit_offers import ExitOffer, OfferedAccount
from orders.templatetags.desk import MINUS, plain, price
from strategies.domain.tickets import Problem, Strategy

PERCENTS = (25, 50, 75, 100)
ALL, SOME = "all", "some"
FIRST = {"percent": str(MOST_PERCENT), "scope": ALL}
SENT_BEFORE = "This exit was sent before, with other terms: see the set. "


class AccountsField(forms.TypedMultipleChoiceField):
    """Ids of accounts; whether the set has them is for the service to say."""

    def __init__(self) -> None:
        super().__init__(coerce=UUID, required=False, widget=forms.CheckboxSelectMultiple)

    def valid_value(self, value: Any) -> bool:
        return True


class ExitForm(forms.Form):
    """What the agent asks for when he exits a set; `show` makes it ready to be drawn."""

    pricing = forms.ChoiceField(
        label="Price",
        choices=[(word.value, word.capitalize()) for word in Pricing],
        widget=forms.RadioSelect,
    )
    limit = forms.DecimalField(
        required=False,
        max_digits=12,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    percent = forms.TypedChoiceField(label="How much", coerce=int, widget=forms.RadioSelect)
    scope = forms.ChoiceField(
        label="Accounts", choices=[(ALL, "All"), (SOME, "Choose…")], widget=forms.RadioSelect
    )
    accounts = AccountsField()
    intent = forms.UUIDField(widget=forms.HiddenInput)
    confirm = forms.MultipleChoiceField(required=False, choices=list(CONFIRMATIONS.items()))

    def __init__(self, typed: QueryDict) -> None:
        super().__init__(typed, auto_id="exit-%s")
        self._choices("percent").choices = _percents(typed.get("percent"))
        self._offer: ExitOffer | None = None
        self.objections: list[tuple[Problem, str | None]] = []

    def clean(self) -> dict[str, Any]:
        if not self.has_limit:
            self.errors.pop("limit", None)
        return self.cleaned_data

    @property
    def has_limit(self) -> bool:
        return bool(self["pricing"].value() == Pricing.LIMIT)

    @property
    def is_choosing(self) -> bool:
        return bool(self["scope"].value() == SOME)

    def terms(self) -> ExitTerms:
        """Return what is asked for, once the form is valid."""
        typed = self.cleaned_data
        return ExitTerms(
            pricing=Pricing(typed["pricing"]),
            limit=typed["limit"] if self.has_limit else None,
            percent=typed["percent"],
            accounts=tuple(typed["accounts"]) if self.is_choosing else None,
            confirm=frozenset(typed["confirm"]),
        )

    def show(self, offer: ExitOffer) -> None:
        """Say at which prices and in which accounts it can be."""
        self._offer = offer
        self.fields["limit"].label = f"{offer.effect} limit"
        self._choices("pricing").choices = _pricings(offer)
        self._choices("scope").choices = [(ALL, f"All {len(offer.accounts)}"), (SOME, "Choose…")]
        members = [(str(one.account.id), one.account.alias) for one in offer.accounts]
        self._choices("accounts").choices = members
        if self.is_choosing and "listed" not in self.data:
            self.data = with_values(self.data, accounts=[pk for pk, _ in members])

    @property
    def offer(self) -> ExitOffer:
        if self._offer is None:
            raise ValueError("A form that is not shown has no offer.")
        return self._offer

    def units(self) -> Sequence[int]:
        """Return how many units are closed at most in each account meant, as far as is typed."""
        chosen = {str(pk) for pk in self["accounts"].value()} if self.is_choosing else None
        return self.offer.units(chosen, self.cleaned_data.get("percent", MOST_PERCENT))

    def boxes(self) -> list[tuple[OfferedAccount, BoundWidget]]:
        """Return the accounts to choose from, each with its box."""
        return list(zip(self.offer.accounts, self["accounts"], strict=True))

    @property
    def is_market(self) -> bool:
        return bool(self["pricing"].value() == Pricing.MARKET)

    @property
    def terms_key(self) -> str:
        """Tell one price and size from another: what was confirmed for one is not for all."""
        return "-".join(str(self[name].value()) for name in ("pricing", "limit", "percent"))

    @property
    def total(self) -> int:
        """How many units are closed at most in all."""
        return sum(self.units())

    @property
    def gain_at_mid(self) -> Decimal | None:
        """What it brings at the mid against the entry, USD, as far as is known."""
        return self.offer.gain_at(self.offer.prices.mid, self.total)

    @property
    def gain_at_natural(self) -> Decimal | None:
        """What it brings at the natural price against the entry, USD."""
        return self.offer.gain_at(self.offer.prices.natural, self.total)

    @property
    def unit(self) -> str:
        """What the units are called, one of them."""
        return "share" if self.offer.row.order.strategy == Strategy.EQUITY else "contract"

    def unseen(self) -> list[SafeString]:
        """Return what is kept and not shown: the intent, and a limit that is not asked for."""
        names = ["intent"] if self.has_limit else ["intent", "limit"]
        return [self[name].as_hidden() for name in names]

    def asked_as_hidden(self) -> list[SafeString]:
        """Return the terms as they are, for a form in which nothing is asked."""
        return [
            self[name].as_hidden() for name in ("intent", "pricing", "limit", "percent", "scope")
        ]

    def unshown(self) -> list[forms.BoundField]:
        """Return what has no place of its own for its errors."""
        return [self["intent"], self["confirm"]]

    def refuse(self, error: Exception) -> None:
        """Show why nothing was sent; a key that belongs to another exit is replaced."""
        if isinstance(error, GuardRefused):
            problems = [*error.problems, *error.overridden]
            self.objections = [(one, CONFIRMATIONS.get(Guard(one.code))) for one in problems]
        elif isinstance(error, BadTicket):
            for problem in error.problems:
                self.add_error(self._field_of(problem), problem.message)
        elif isinstance(error, KeyReused):
            self.data = with_values(self.data, intent=[str(uuid4())])
            self.add_error(None, SENT_BEFORE + "EXIT again to send this as one more.")
        else:
            self.add_error(None, str(error))

    @property
    def is_blocked(self) -> bool:
        """Whether a click cannot do anything as it stands."""
        return not self.units() or any(not one.is_overridable for one, _ in self.objections)

    def _field_of(self, problem: Problem) -> str | None:
        if problem.field == "limit" and not self.has_limit:
            return "pricing"
        return problem.field if problem.field in self.fields else None

    def _choices(self, name: str) -> forms.ChoiceField:
        return cast("forms.ChoiceField", self.fields[name])


def first_values(offer: ExitOffer, account: str | None = None) -> QueryDict:
    """Return what stands in the form at first: the mid as the limit, the whole, all accounts.

    Args:
        account: the id of one that is meant alone.
    """
    values = {**FIRST, "pricing": Pricing.LIMIT.value, "limit": plain(offer.prices.mid)}
    if account is not None:
        values |= {"scope": SOME, "accounts": account, "listed": "1"}
    typed = QueryDict(mutable=True)
    typed.update({**values, "intent": str(uuid4())})
    return typed


def values_of(terms: ExitTerms) -> QueryDict:
    """Return the values of a form that asks for these terms, with an intent of its own."""
    typed = QueryDict(mutable=True)
    typed.update(
        {
            "pricing": terms.pricing.value,
            "limit": plain(terms.limit).replace(MINUS, "-"),
            "percent": str(terms.percent),
            "scope": ALL if terms.accounts is None else SOME,
            "listed": "1",
            "intent": str(uuid4()),
        }
    )
    typed.setlist("accounts", [str(pk) for pk in terms.accounts or ()])
    return typed


def with_values(typed: Mapping[str, Any], **values: Sequence[str]) -> QueryDict:
    """Return what was sent with other values for some names."""
    changed = cast("QueryDict", typed).copy()
    for name, given in values.items():
        changed.setlist(name, list(given))
    return changed


def _pricings(offer: ExitOffer) -> list[tuple[str, str]]:
    """Return the ways to price it; those that need quotes only while there are some."""
    quoted = {Pricing.MID: offer.prices.mid, Pricing.NATURAL: offer.prices.natural}
    return [
        (Pricing.LIMIT.value, "Limit"),
        *(
            (word.value, f"{word.capitalize()} {price(found)}")
            for word, found in quoted.items()
            if found is not None
        ),
        (Pricing.MARKET.value, "Market"),
    ]


def _percents(typed: str | None) -> list[tuple[int, str]]:
    """Return the usual parts, and the one that a remedy has asked for."""
    text = typed or ""
    asked = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else MOST_PERCENT
    parts = {*PERCENTS, asked if 1 <= asked <= MOST_PERCENT else MOST_PERCENT}
    return [(part, f"{part} %") for part in sorted(parts)]
