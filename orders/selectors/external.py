"""Orders that were made elsewhere, as pages show them, and which sets they touch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery

from accounts.selectors import our_accounts
from brokerage.schwab.replies import TERMINAL_STATUSES
from orders.domain.matching import OUR_TAG
from orders.models import ExternalOrder
from strategies.domain.legs import describe
from strategies.domain.symbols import readable
from strategies.domain.tickets import Instruction, Leg

MOST = 200
# What the broker's tags begin with, and who that is.
_ORIGINS = (("API_TOS", "thinkorswim"), (OUR_TAG, "this app key"), ("AA_", "another app"))


@dataclass(frozen=True, slots=True)
class ExternalLeg:
    """One leg; `words` are our shorthand where the broker's word is one of ours."""

    words: str
    is_buy: bool
    quantity: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class ExternalRow:
    """An order made elsewhere.

    Args:
        origin: who made it, as far as its tag tells.
        terms: `LIMIT 1.25`, or the type alone.
        sets: the placed order sets that it touched when it was first seen.
    """

    id: int
    account: str
    mask: str
    number: str
    tag: str
    origin: str
    status: str
    is_over: bool
    legs: Sequence[ExternalLeg]
    terms: str
    quantity: Decimal
    filled: Decimal
    entered_at: datetime
    seen_at: datetime
    sets: Sequence[int]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The newest orders made elsewhere; those that still work come first.

    Args:
        working: how many still work, of all.
    """

    rows: Sequence[ExternalRow]
    total: int
    working: int


def list_external(*, most: int = MOST) -> Elsewhere:
    """Return the newest orders made elsewhere."""
    rows = ExternalOrder.objects.filter(account__in=our_accounts().values("pk"))
    counts = rows.aggregate(total=Count("pk"), over=Count("ended_at"))
    shown = rows.select_related("account").prefetch_related("touches")
    still = list(shown.filter(ended_at__isnull=True).order_by("-entered_at", "-pk")[:most])
    rest = max(most - len(still), 0)
    over = list(shown.filter(ended_at__isnull=False).order_by("-entered_at", "-pk")[:rest])
    return Elsewhere(
        rows=[_row(row) for row in (*still, *over)],
        total=counts["total"],
        working=counts["total"] - counts["over"],
    )


def touching(placed_set: OuterRef) -> Subquery:
    """Return, for an annotation, how many of all that were ever seen touched a set.

    Not by a join: that counts for every set what is shown of the newest.
    """
    orders = ExternalOrder.objects.filter(touches=placed_set).order_by()
    counted = orders.values("touches").annotate(n=Count("pk"))
    return Subquery(counted.values("n"), output_field=IntegerField())


def count_external() -> int:
    """Return how many orders made elsewhere are kept."""
    return ExternalOrder.objects.filter(account__in=our_accounts().values("pk")).count()


def _row(row: ExternalOrder) -> ExternalRow:
    data = row.data
    return ExternalRow(
        id=row.pk,
        account=row.account.alias,
        mask=row.account.mask,
        number=row.broker_order_id,
        tag=row.tag,
        origin=_origin(row.tag),
        status=row.broker_status.replace("_", " ").capitalize(),
        is_over=row.ended_at is not None or row.broker_status in TERMINAL_STATUSES,
        legs=[_leg(leg) for leg in data.get("legs", ())],
        terms=" ".join(filter(None, (_words(data, "order_type"), _words(data, "price")))),
        quantity=_number(data.get("quantity")),
        filled=_number(data.get("filled")),
        entered_at=row.entered_at,
        seen_at=row.seen_at,
        sets=sorted(one.pk for one in row.touches.all()),
    )


def _leg(leg: Mapping[str, Any]) -> ExternalLeg:
    symbol, word = str(leg.get("symbol", "")), str(leg.get("instruction", ""))
    try:
        words = describe(Leg(symbol, Instruction(word))).split(" ", 1)[0]
    except ValueError:  # the broker knows more words than we send
        words = word.replace("_", " ").lower()
    return ExternalLeg(
        words=words,
        is_buy=word.startswith("BUY"),
        quantity=_number(leg.get("quantity")),
        text=readable(symbol) or "?",
    )


def _origin(tag: str) -> str:
    if not tag:
        return "unknown"
    return next((name for start, name in _ORIGINS if tag.startswith(start)), "elsewhere")


def _words(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name) or "").replace("_", " ")


def _number(text: Any) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return Decimal(0)
