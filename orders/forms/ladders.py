"""What the agent types to let the limit of an order move."""

from typing import Any

from django import forms
from django.http import QueryDict

from orders.domain.errors import BadTicket, GuardRefused
from orders.domain.guards import Guard
from orders.domain.ladders import LONGEST_S, SHORTEST_S, bound_word, climbs
from orders.forms.ticket import CONFIRMATIONS
from orders.selectors.ladders import parent_ticket
from orders.selectors.showing import Broadcast
from orders.templatetags.desk import plain
from strategies.domain.tickets import Problem

USUAL_S = 15
PRICE = {"inputmode": "decimal", "autocomplete": "off"}


class LadderForm(forms.Form):
    """Takes step, seconds and bound; the service says whether they can be a ladder."""

    step = forms.DecimalField(
        max_digits=12, decimal_places=4, widget=forms.TextInput(attrs=PRICE), help_text="Dollars."
    )
    every_s = forms.IntegerField(
        label="Seconds per step",
        min_value=SHORTEST_S,
        max_value=LONGEST_S,
        initial=USUAL_S,
        help_text=f"From {SHORTEST_S} to {LONGEST_S:,}.",
    )
    bound = forms.DecimalField(max_digits=12, decimal_places=4, widget=forms.TextInput(attrs=PRICE))
    confirm = forms.MultipleChoiceField(required=False, choices=list(CONFIRMATIONS.items()))

    def __init__(self, typed: QueryDict | None, *, order: Broadcast) -> None:
        super().__init__(typed, auto_id="ladder-%s", initial=_running(order))
        self.objections: list[tuple[Problem, str | None]] = []
        ticket, bound = parent_ticket(order, order.legs), self.fields["bound"]
        bound.label = bound_word(ticket).capitalize()
        way = "climbs to it, and no further" if climbs(ticket) else "falls to it, and no further"
        bound.help_text = f"The limit {way}."

    def ladder(self) -> dict[str, Any]:
        """Return step, every_s and bound, once the form is valid."""
        return {name: self.cleaned_data[name] for name in ("step", "every_s", "bound")}

    def confirmed(self) -> list[str]:
        """Return the guards whose objections the agent overrides."""
        return list(self.cleaned_data["confirm"])

    def refuse(self, error: Exception) -> None:
        """Show why nothing was started, beside the field that says so."""
        if isinstance(error, GuardRefused):
            problems = [*error.problems, *error.overridden]
            self.objections = [(one, CONFIRMATIONS.get(Guard(one.code))) for one in problems]
        elif isinstance(error, BadTicket):
            for problem in error.problems:
                name = problem.field.removeprefix("ladder.")
                self.add_error(name if name in self.fields else None, problem.message)
        else:
            self.add_error(None, str(error))


def _running(order: Broadcast) -> dict[str, Any]:
    """Return what stands in the form at first: the ladder that runs, if one does."""
    ladder = order.ladder
    if ladder is None or ladder.stopped_at is not None:
        return {}
    return {
        "step": plain(ladder.step),
        "every_s": ladder.every_s,
        "bound": plain(ladder.bound),
    }
