"""What is known of an order of unknown outcome, for the agent who decides what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import AuditEvent
from orders.domain.lifecycle import Status
from orders.domain.matching import OUR_TAG
from orders.models import AccountOrder, AccountOrderLeg, ExternalOrder
from orders.selectors.showing import effect_words


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order at the broker that is the same trade; price in USD per unit.

    Args:
        is_by_interface: it came through the broker's interface for programs, as ours do; any other
            was made by hand or elsewhere.
    """

    number: str
    tag: str
    is_by_interface: bool
    entered_at: datetime
    seen_at: datetime
    status: str
    status_words: str
    price: Decimal | None
    quantity: Decimal | None
    filled: Decimal | None


@dataclass(frozen=True, slots=True)
class UnknownOrder:
    """An account order whose outcome is, or was, unknown; prices in USD per unit.

    Args:
        broadcast: number of the complex order it is a share of.
        effect: what stands before the limit: `CREDIT`, `LIMIT`.
        proof_at: when the machine can have proved at the earliest that it was not placed.
        candidates: oldest first; empty in lists, and once it is settled.
    """

    child_id: UUID
    broadcast: int
    name: str
    underlying: str
    effect: str
    limit: Decimal | None
    contracts: int
    alias: str
    mask: str
    status: str
    needs_agent: bool
    reason_code: str
    reason: str
    broker_order_id: str | None
    claimed_at: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None
    looked_at: datetime | None
    clean_reads: int
    legs: Sequence[AccountOrderLeg] = ()
    candidates: Sequence[Candidate] = ()
    events: Sequence[AuditEvent] = ()

    @property
    def is_unknown(self) -> bool:
        return self.status == Status.UNKNOWN

    @property
    def reads_needed(self) -> int:
        """How many complete lists must not show it to prove that it was not placed."""
        return settings.ABSENCE_READS

    @property
    def quiet_until(self) -> datetime | None:
        """Return until when the broker may yet list it: nobody may say before that it has none."""
        return None if self.claimed_at is None else quiet_until(self.claimed_at)

    @property
    def proof_at(self) -> datetime | None:
        return None if self.claimed_at is None else earliest_proof(self.claimed_at)

    @property
    def numbers(self) -> list[str]:
        """The broker's numbers of the candidates."""
        return [candidate.number for candidate in self.candidates]

    def candidate(self, number: str) -> Candidate | None:
        """Return the candidate of this number, or None if it is not one any more."""
        return next((one for one in self.candidates if one.number == number), None)


def find_unknown(child_id: UUID) -> UnknownOrder | None:
    """Return one account order with its candidates and its record, or None if it is not ours."""
    child = _ours().filter(pk=child_id).first()
    if child is None:
        return None
    events = AuditEvent.objects.filter(subject=f"accountorder:{child_id}").order_by("id")
    return _unknown(
        child,
        legs=list(child.legs.all()),
        candidates=_candidates(child) if child.status == Status.UNKNOWN else (),
        events=list(events),
    )


def list_unknown() -> list[UnknownOrder]:
    """Return every order of unknown outcome, those that wait longest first."""
    rows = _ours().filter(status=Status.UNKNOWN).order_by("claimed_at", "account__position")
    return [_unknown(child) for child in rows]


def quiet_until(claimed_at: datetime) -> datetime:
    """Return until when an order claimed then may yet appear in the broker's lists."""
    return claimed_at + timedelta(seconds=settings.QUIET_PERIOD_S)


def earliest_proof(claimed_at: datetime) -> datetime:
    """Return when an order claimed then can have been proved not placed, if every list arrives."""
    between = (settings.ABSENCE_READS - 1) * settings.RECONCILE_EVERY_S
    return quiet_until(claimed_at) + timedelta(seconds=between)


def _ours() -> QuerySet[AccountOrder]:
    rows = AccountOrder.objects.filter(account__login__environment=settings.ENVIRONMENT)
    return rows.select_related("order", "account").defer("body", "order__allocation")


def _unknown(child: AccountOrder, **more: Any) -> UnknownOrder:
    order, account = child.order, child.account
    return UnknownOrder(
        child_id=child.pk,
        broadcast=order.pk,
        name=order.name,
        underlying=order.underlying,
        effect=effect_words(order.order_type, order.price_effect),
        limit=order.limit,
        contracts=child.contracts,
        alias=account.alias,
        mask=account.mask,
        status=child.status,
        needs_agent=child.needs_agent,
        reason_code=child.reason_code,
        reason=child.reason,
        broker_order_id=child.broker_order_id,
        claimed_at=child.claimed_at,
        sent_at=child.sent_at,
        answered_at=child.answered_at,
        looked_at=child.looked_at,
        clean_reads=child.clean_reads,
        **more,
    )


def _candidates(child: AccountOrder) -> list[Candidate]:
    rows = ExternalOrder.objects.filter(
        account=child.account_id, broker_order_id__in=child.candidates
    )
    return [_candidate(row) for row in rows.order_by("entered_at", "pk")]


def _candidate(row: ExternalOrder) -> Candidate:
    facts = row.data
    return Candidate(
        number=row.broker_order_id,
        tag=row.tag,
        is_by_interface=row.tag.startswith(OUR_TAG),
        entered_at=row.entered_at,
        seen_at=row.seen_at,
        status=row.broker_status,
        status_words=facts.get("status_description", ""),
        price=_number(facts.get("price", "")),
        quantity=_number(facts.get("quantity", "")),
        filled=_number(facts.get("filled", "")),
    )


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
