"""What every page of the desk has around it: the fleet's figures, alarms, what is closed.

It is the same for all who may see the same, so it is rendered once per version, for pages too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from accounts.domain.words import ModeScope
from accounts.live.responses import live_panel, seen_as
from accounts.live.shelf import rendered
from accounts.models import User
from accounts.selectors import FleetNumbers, fleet_numbers, open_alarms
from accounts.selectors.modes import modes_in_force
from accounts.services.beat_runs import BeatAge, beat_ages, last_runs
from accounts.services.gate import Gate
from orders.selectors.framing import around


@dataclass(frozen=True, slots=True)
class Framed:
    """The frame as a page shows it."""

    fleet: SafeString
    notices: SafeString
    foot: SafeString


def frame(request: DeskRequest, *, beats: Sequence[BeatAge] | None = None) -> dict[str, Any]:
    """Return what orders/page.html needs; read it before what the versions are about.

    `frame_version` is that of all panels with figures, `orders_version` that of the others.

    Args:
        beats: how old they are, if a page has read it.
    """
    numbers = fleet_numbers()
    key = f"frame {numbers.version} {seen_as(request)}"
    return {
        "framed": rendered.get(key, lambda: _framed(request.user, numbers, beats)),
        "frame_version": numbers.version,
        "orders_version": numbers.events,
        "may_trade": request.user.may_trade,
    }


def rights(request: DeskRequest) -> dict[str, Any]:
    """Return what the user may do, for panels: these are the same for all who may do the same."""
    return {"may_trade": request.user.may_trade, "may_exit": request.user.may_exit}


def notices(request: DeskRequest) -> dict[str, Any]:
    """Return what orders/_notices.html needs."""
    return _notices(request.user)


@require_safe
@signed_in
@live_panel("fleet")
def fleet(request: DeskRequest) -> HttpResponse:
    """Show figures and notices of the frame for an open page."""
    return render(request, "orders/fleet.html", frame(request))


def _framed(user: User, numbers: FleetNumbers, beats: Sequence[BeatAge] | None) -> Framed:
    shown = {
        "numbers": numbers,
        "around": around(),
        "beats": beat_ages(now=timezone.now()) if beats is None else beats,
        **_notices(user),
    }
    return Framed(*(_piece(name, shown) for name in ("_fleet", "_notices", "_foot")))


def _piece(name: str, shown: Mapping[str, Any]) -> SafeString:
    return render_to_string(f"orders/{name}.html", dict(shown))


def _notices(user: User) -> dict[str, Any]:
    in_force = modes_in_force()
    shut = (one for one in in_force if one.rule.scope == ModeScope.GATE)
    return {
        "alarms": open_alarms(),
        "gate": next((Gate(one.rule.why, one.since) for one in shut), None),
        "modes": [one for one in in_force if one.rule.scope != ModeScope.GATE],
        "is_market_closed": _is_market_closed(),
        "may_trade": user.may_trade,
    }


def _is_market_closed() -> bool:
    """Whether every beat that ran found its market closed; nobody asks the broker for a page."""
    runs = last_runs()
    return bool(runs) and not any(run.is_open for run in runs.values())
