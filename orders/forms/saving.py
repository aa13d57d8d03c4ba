"""Turn a saved order back into a ticket, and take the name and number of one."""

from typing import Any
from uuid import uuid4

from django import forms
from django.http import QueryDict

from orders.domain.saved import LONGEST_NAME, MOST_NUMBERS, Unreadable, read_ticket
from orders.forms.shape import STRIKES
from orders.models import SavedOrder
from orders.selectors.account_choices import ALL_ACTIVE, ALL_BUT, GROUP, ONLY
from orders.templatetags.desk import plain
from strategies.domain.catalog import ImpossibleTrade, Structure, VerticalKind, recognise
from strategies.domain.symbols import parse_option, underlying_of
from strategies.domain.tickets import PriceEffect, Strategy, Ticket


class SaveForm(forms.Form):
    """The name of a saved order, and the key that loads it."""

    # It stands in a ticket, which is sent without a name.
    use_required_attribute = False

    name = forms.CharField(
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    number = forms.TypedChoiceField(
        label="Key",
        coerce=int,
        choices=[(0, "none"), *((n, str(n)) for n in range(1, MOST_NUMBERS + 1))],
    )


def values_of(saved: SavedOrder) -> QueryDict:
    """Return what stands in a ticket that makes the saved order.

    Errors: Unreadable for what the ticket cannot show, such as a long iron condor.
    """
    ticket = read_ticket(saved.ticket)
    try:
        structure = recognise(ticket.legs)
    except ImpossibleTrade as error:
        raise Unreadable(str(error)) from None
    values = QueryDict(mutable=True)
    values.update(_shape(structure) | _terms(ticket))
    choice, picked = _accounts(saved.ticket.get("accounts", ALL_ACTIVE))
    values["accounts"] = choice
    values["intent"] = str(uuid4())
    values["symmetric"] = "on"
    values.setlist("picked", picked)
    return values


def _shape(structure: Structure) -> dict[str, str]:
    legs = structure.legs
    values = {"strategy": structure.strategy.value, "underlying": underlying_of(legs[0].symbol)}
    if structure.strategy is Strategy.EQUITY:
        return values | {"instruction": legs[0].instruction.value}
    options = [parse_option(leg.symbol) for leg in legs]
    names = STRIKES[structure.strategy]
    values |= {
        "root": options[0].root,
        "expiration": options[0].expiration.isoformat(),
        **{name: plain(option.strike) for name, option in zip(names, options, strict=True)},
    }
    if structure.strategy is Strategy.SINGLE_OPTION:
        return values | {
            "instruction": legs[0].instruction.value,
            "side": options[0].put_call.value,
        }
    if not legs[0].instruction.opens or structure.name == "Long iron condor":
        raise Unreadable("The ticket opens verticals and short iron condors only.")
    if structure.strategy is Strategy.VERTICAL:
        values["kind"] = next(k.value for k in VerticalKind if k.label == structure.name)
    return values


def _terms(ticket: Ticket) -> dict[str, str]:
    if ticket.price_effect is PriceEffect.NET_ZERO:
        raise Unreadable("The ticket has no place for an even trade.")
    return {
        "contracts": str(ticket.contracts),
        "order_type": ticket.order_type.value,
        "limit": plain(ticket.limit),
        "stop": plain(ticket.stop),
        "duration": ticket.duration.value,
        "session": ticket.session.value,
    }


def _accounts(kept: Any) -> tuple[str, list[str]]:
    match kept:
        case {"ids": list(ids)}:
            return ONLY, [str(one) for one in ids]
        case {"except": list(ids)}:
            return ALL_BUT, [str(one) for one in ids]
        case {"group": str(name)}:
            return f"{GROUP}{name}", []
    return ALL_ACTIVE, []
