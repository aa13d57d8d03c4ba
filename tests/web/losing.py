"""Orders of unknown outcome in tests of pages: how old they are, and what could be them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from orders.models import AccountOrder, ExternalOrder


def grow_old(child: AccountOrder, age_s: float) -> None:
    """Let an order have been claimed so long ago."""
    child.claimed_at = timezone.now() - timedelta(seconds=age_s)
    child.save(update_fields=["claimed_at"])


def ask(
    child: AccountOrder, number: str = "1234", tag: str = "API_TOS:web", **facts: Any
) -> ExternalOrder:
    """Let the machine have seen an order that may be this one."""
    child.refresh_from_db()
    child.candidates = [*child.candidates, number]
    child.needs_agent, child.reason = True, "Which is ours?"
    child.save(update_fields=["candidates", "needs_agent", "reason"])
    data = {"price": "2.35", "quantity": "10", "filled": "4", "status_description": "", **facts}
    return ExternalOrder.objects.create(
        account=child.account,
        broker_order_id=number,
        tag=tag,
        broker_status="WORKING",
        entered_at=timezone.now(),
        seen_at=timezone.now(),
        data=data,
    )


def page_of(child: AccountOrder, *more: str) -> str:
    """Return the address of an order's page, or of a decision about it."""
    return "/".join(["/desk/unknown", str(child.pk), *more, ""])


def status_of(child: AccountOrder) -> str:
    return AccountOrder.objects.get(pk=child.pk).status
