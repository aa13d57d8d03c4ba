"""The life of an order as the audit record tells it, from the click to its end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import AuditEvent
from orders.models import AccountOrder, LegFill
from orders.templatetags.desk import LOOKS, amount, price, words
from strategies.domain.symbols import readable

# What the kinds of the record are called; a step of the status is told by its statuses.
_KINDS = {
    "created": "Created",
    "retry": "Retried",
    "ladder": "Price ladder",
    "limit": "Limit changed",
    "exit": "Exit opened",
    "cancel": "Cancel asked for",
    "broker": "At the broker",
    "candidates": "Looked like it",
    "successor": "Replaced by the broker",
    "not replaced": "Not replaced",
    "external": "Seen at the broker",
    "alarm": "Alarm",
    "alarm seen": "Alarm seen",
}
# Facts of the record that say nothing to a reader, or are told elsewhere.
_HIDDEN = frozenset({"body", "overridden"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened.

    Args:
        status: where the order stood from then on; empty if that did not change.
        what: in words, where the status does not say it.
        facts: what is on record beside it, in words.
    """

    at: datetime
    status: str
    what: str
    why: str
    actor: str
    facts: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Life:
    """All that happened to one account's order.

    Args:
        sent: what went on the wire, to be read by people.
    """

    child: AccountOrder
    happenings: Sequence[Happening]
    sent: str

    @property
    def since_click(self) -> list[tuple[Happening, float]]:
        """Each with the milliseconds since the click of its broadcast."""
        clicked_at = self.child.order.clicked_at
        return [(one, (one.at - clicked_at).total_seconds() * 1000) for one in self.happenings]


def find_life(child_id: UUID) -> Life | None:
    """Return the life of one account's order, in three queries."""
    rows = AccountOrder.objects.select_related("order", "account", "successor")
    child = rows.filter(pk=child_id).first()
    if child is None:
        return None
    told = [*happenings_of(f"accountorder:{child.pk}"), *_fills(child)]
    return Life(child, sorted(told, key=lambda one: one.at), _readable(child.body))


def happenings_of(subject: str) -> list[Happening]:
    """Return what is on record of one subject, oldest first."""
    events = AuditEvent.objects.filter(subject=subject).order_by("id")
    return [_happening(event) for event in events]


def _happening(event: AuditEvent) -> Happening:
    is_step = event.kind in {"status", "created"} and event.new in LOOKS
    return Happening(
        at=event.at,
        status=event.new if is_step else "",
        what="" if event.kind == "status" and is_step else _what(event),
        why=event.reason,
        actor=event.actor,
        facts=_facts(event.data),
        data=event.data,
    )


def _what(event: AuditEvent) -> str:
    said = _KINDS.get(event.kind, event.kind.capitalize())
    if event.kind in {"created", "exit", "cancel"}:
        return said
    change = " → ".join(words(one) for one in (event.old, event.new) if one)
    return f"{said}: {change}" if change else said


def _facts(data: Mapping[str, Any]) -> str:
    told = ((name, value) for name, value in data.items() if name not in _HIDDEN)
    return ", ".join(f"{words(name).lower()} {_plain(value)}" for name, value in told if value)


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else json.dumps(value)


def _fills(child: AccountOrder) -> list[Happening]:
    rows = LegFill.objects.filter(leg__child=child).order_by("at", "leg__number")
    return [
        Happening(
            at=at, status="", what=_fill_words(quantity, symbol, paid), why="", actor="broker"
        )
        for at, quantity, symbol, paid in rows.values_list("at", "quantity", "leg__symbol", "price")
    ]


def _fill_words(quantity: Decimal, symbol: str, paid: Decimal) -> str:
    return f"Filled {amount(quantity)} {readable(symbol)} @ {price(paid)}"


def _readable(body: str) -> str:
    """Return what was sent, indented if it is JSON."""
    try:
        return json.dumps(json.loads(body), indent=2)
    except ValueError:
        return body
