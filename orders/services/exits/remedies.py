"""What the agent says to what an exit left over: it is dealt with."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import event, record
from orders.domain.errors import BadTicket, CannotControl
from orders.domain.exits import ExitState
from orders.models import ExitStep
from orders.services.parents import refresh_parents
from strategies.domain.tickets import Problem

LONGEST_WHY = 200


def mark_handled(step_id: int, *, why: str, agent: User, now: datetime) -> None:
    """Close a residual step with the agent's reason; what is left of it stays as it is.

    Errors: BadTicket without a reason; CannotControl if nothing of it is left to the agent.
    """
    why = why.strip()
    if not 1 <= len(why) <= LONGEST_WHY:
        words = f"Say in at most {LONGEST_WHY} characters how it was dealt with."
        raise BadTicket([Problem("why", "missing" if not why else "too_long", words)])
    with transaction.atomic():
        residual = ExitStep.objects.filter(
            pk=step_id, state=ExitState.RESIDUAL, closed_at__isnull=True
        )
        closed = residual.update(state=ExitState.DONE, handled_why=why, closed_at=now, due_at=None)
        if not closed:
            raise CannotControl("This exit leaves nothing to you any more. Nothing was changed.")
        order_id = ExitStep.objects.values_list("order_id", flat=True).get(pk=step_id)
        actor = agent.get_username()
        record(
            [
                event(
                    f"exitstep:{step_id}",
                    "exit",
                    at=now,
                    old=ExitState.RESIDUAL,
                    new=ExitState.DONE,
                    reason=why,
                    actor=actor,
                )
            ]
        )
        if order_id is not None:
            refresh_parents({order_id})
