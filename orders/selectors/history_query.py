"""What the history asks the database for: broadcasts, narrowed and in an order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    Case,
    DecimalField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from accounts.selectors import our_accounts
from orders.domain.lifecycle import ParentStatus, Purpose, Status
from orders.models import AccountOrder, ComplexOrder, OrderLeg
from orders.selectors.desk_facts import Kind
from orders.templatetags.desk import status_words
from strategies.domain.new_york import midnight_of
from strategies.domain.tickets import Strategy


@dataclass(frozen=True, slots=True)
class HistoryFilters:
    """What the history is narrowed to.

    Args:
        since, until: days in New York, both included.
        overall: the status of the broadcast; `some`: of the order in one account at least.
        text: `#39`, a symbol, a name of a strategy, an account's alias or its last digits.
    """

    since: date | None = None
    until: date | None = None
    overall: ParentStatus | None = None
    some: Status | None = None
    strategy: Strategy | None = None
    kind: Kind | None = None
    purpose: Purpose | None = None
    text: str = ""


def narrowed(filters: HistoryFilters) -> QuerySet[ComplexOrder]:
    """Return the broadcasts that a history narrowed like this shows."""
    wanted: Mapping[str, Any] = {
        "clicked_at__gte": filters.since and midnight_of(filters.since),
        "clicked_at__lt": filters.until and midnight_of(filters.until + timedelta(days=1)),
        "status": filters.overall,
        "strategy": filters.strategy,
        "purpose": filters.purpose,
    }
    rows = ComplexOrder.objects.filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    if filters.kind is not None:
        rows = rows.filter(filters.kind.orders)
    if filters.some is not None:
        children = AccountOrder.objects.filter(order=OuterRef("pk"), status=filters.some)
        rows = rows.filter(Exists(children))
    return rows.filter(_about(filters.text)) if filters.text else rows


def _about(text: str) -> Q:
    """Return the condition of a text: what it could be, it is sought as."""
    digits = text.removeprefix("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    numbered = Q(pk=number) if number is not None else Q(pk__in=())
    if text.startswith("#"):
        return numbered
    legs = OrderLeg.objects.filter(order=OuterRef("pk"), symbol__istartswith=text)
    named = Q(underlying__istartswith=text) | Q(name__icontains=text)
    found = numbered | named | Q(Exists(legs))
    of_account = Q(alias__icontains=text) | Q(last4=text)
    accounts = list(our_accounts().filter(of_account).values_list("pk", flat=True))
    if accounts:
        sent = AccountOrder.objects.filter(order=OuterRef("pk"), account__in=accounts)
        found |= Q(Exists(sent))
    return found


def in_order(rows: QuerySet[ComplexOrder], sort: str) -> QuerySet[ComplexOrder, int]:
    """Return the numbers of broadcasts in the order wanted; what has no value comes last."""
    name, is_down = sort.removeprefix("-"), sort.startswith("-")
    if name == "average":
        rows = rows.alias(average=_average())
    elif name == "status":
        rows = rows.alias(place=_place_of_status())
    key = F(
        {"id": "pk", "placed": "clicked_at", "strategy": "name", "status": "place"}.get(name, name)
    )
    ordered = key.desc(nulls_last=True) if is_down else key.asc(nulls_last=True)
    if name in {"id", "placed", "strategy"}:  # never empty: so that an index serves
        ordered = key.desc() if is_down else key.asc()
    return rows.order_by(ordered, "-pk" if is_down else "pk").values_list("pk", flat=True)


def _average() -> Subquery:
    """Return the mean net price of a broadcast's fills."""
    filled = AccountOrder.objects.filter(
        order=OuterRef("pk"), filled__gt=0, net_price__isnull=False
    )
    mean = Sum(F("filled") * F("net_price")) / Sum("filled")
    return Subquery(
        filled.order_by().values("order").annotate(value=mean).values("value"),
        output_field=DecimalField(max_digits=14, decimal_places=4),
    )


def _place_of_status() -> Case:
    """Return where a status stands among the others, by the words that are shown."""
    by_words = sorted(ParentStatus, key=status_words)
    places = [When(status=one, then=Value(place)) for place, one in enumerate(by_words)]
    return Case(*places, output_field=IntegerField())
