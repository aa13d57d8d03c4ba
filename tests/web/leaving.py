"""Sets on the pages: fixtures' hands to click EXIT and to leave something over."""

from typing import Any

from django.test import Client

from orders.models import ComplexOrder, ExitStep
from tests.integration.orders.leaving import Way
from tests.web.browsing import HTMX


def page_of(way: Way, *more: object) -> str:
    """Return the address of a set's page, or of something under it."""
    return "/".join(["/desk/sets", str(way.placed_set.pk), *map(str, more), ""])


def leave_over(way: Way, index: int, why: str = "It was refused.", **facts: Any) -> ExitStep:
    """Let an exit have left an account's whole position to the agent."""
    step = way.steps()[index]
    ExitStep.objects.filter(pk=step.pk).update(
        state="RESIDUAL", why=why, residual=step.plan, due_at=None, **facts
    )
    step.refresh_from_db()
    return step


def redraw(client: Client, way: Way, values: dict[str, Any]) -> Any:
    """Let the confirmation of an exit be drawn anew with other terms."""
    return client.post(page_of(way, "exit", "terms"), values, headers=HTMX)


def exits() -> list[ComplexOrder]:
    """Return the exits of all sets, the oldest first."""
    return list(ComplexOrder.objects.filter(closes__isnull=False).order_by("pk"))
