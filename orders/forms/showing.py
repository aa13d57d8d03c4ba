"""What a ticket shows beside its fields: figures, the chain, and what is wrong where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from orders.domain.errors import BadTicket
from orders.forms.dressing import LadderRow, ladders, market_words
from orders.forms.ticket import LIMITED, TicketForm
from orders.selectors.figuring import Figures, figure
from orders.selectors.guarding import Judged, judge
from orders.selectors.offering import Offer
from strategies.domain.tickets import Problem

# What the buttons beside a field set it to.
DELTAS = ("0.10", "0.16", "0.30")
WIDTHS = ("5", "10", "25")


@dataclass(frozen=True, slots=True)
class Note:
    """What stands below a field: its help, what is wrong, and what a guard will object to."""

    field: forms.BoundField
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket's surroundings.

    Args:
        figures: None while shape and strikes make no trade, or nobody knows a price.
        notes: of every field whose text is checked as it is typed.
        warnings: what guards object to that belongs to no field.
    """

    offer: Offer | None
    figures: Figures | None
    ladders: Sequence[tuple[str, Sequence[LadderRow]]]
    notes: Sequence[Note]
    warnings: Sequence[Problem]
    market: str

    @property
    def deltas(self) -> Sequence[str]:
        return DELTAS

    @property
    def widths(self) -> Sequence[str]:
        return WIDTHS


def judge_typed(form: TicketForm, *, now: datetime) -> tuple[Judged | None, Sequence[Problem]]:
    """Judge a ticket as the click would, by the prices that it shows; ask the broker for nothing.

    What makes it impossible becomes an error of the form; the objections of guards are returned.
    """
    if form.offer is None or not form.is_valid():
        return None, ()
    try:
        judged = judge(
            form.ticket, form.choice(), market=form.offer.market, now=now, today=form.today
        )
    except BadTicket as error:
        form.refuse(error)
        return None, ()
    return judged, judged.problems


def show(form: TicketForm, judged: Judged | None, problems: Sequence[Problem] = ()) -> Shown:
    """Return what stands around a ticket that was dressed, or in its review."""
    placed: dict[str | None, list[str]] = {}
    elsewhere = []
    for problem in problems:
        name = form.field_of(problem)
        if name in form.fields and name != "accounts":
            placed.setdefault(name, []).append(problem.message)
        else:
            elsewhere.append(problem)
    fields = [*form.strike_fields(), *form.pick_fields(), *form.terms()]
    return Shown(
        offer=form.offer,
        figures=_figures(form, judged),
        ladders=ladders(form),
        notes=[Note(field, placed.get(field.name, ())) for field in fields],
        warnings=elsewhere,
        market=market_words(form.offer) if form.offer else form.market_words,
    )


def _figures(form: TicketForm, judged: Judged | None) -> Figures | None:
    structure = form.structure()
    if structure is None or form.offer is None:
        return None
    has_limit = form.priced_as in LIMITED
    limit = _number(form["limit"].value()) if has_limit else None
    contracts = _number(form["contracts"].value())
    return figure(
        structure,
        limit=limit if limit and limit > 0 else None,
        contracts=int(contracts) if contracts and contracts < 1_000_000 else 1,
        offer=form.offer,
        judged=judged,
        today=form.today,
    )


def _number(typed: Any) -> Decimal | None:
    """Read a number that may be wrong otherwise: its figures are shown all the same."""
    try:
        found = Decimal(str(typed))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 1_000_000 else None
