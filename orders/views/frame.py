"""What every page of the desk has around it: the fleet's figures, alarms, what is closed."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from accounts.domain.words import ModeScope
from accounts.selectors import fleet_numbers, modes_in_force, open_alarms
from accounts.services.gate import find_gate


def frame(request: DeskRequest) -> dict[str, Any]:
    """Return what orders/page.html needs."""
    return {"numbers": fleet_numbers(), **notices(request)}


def notices(request: DeskRequest) -> dict[str, Any]:
    """Return what orders/_notices.html needs."""
    in_force = modes_in_force()
    is_shut = any(one.rule.scope == ModeScope.GATE for one in in_force)
    return {
        "alarms": open_alarms(),
        "gate": find_gate() if is_shut else None,
        "modes": [one for one in in_force if one.rule.scope != ModeScope.GATE],
        "may_trade": request.user.may_trade,
    }


@require_safe
@signed_in
def fleet(request: DeskRequest) -> HttpResponse:
    """Show figures and notices of the frame for an open page."""
    return render(request, "orders/fleet.html", frame(request))
