"""The page of accounts: the grid, its live panel, the fleet's worth over time, switch, refresh."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import DeskRequest, may_sync, may_trade, signed_in
from accounts.live.responses import live_panel
from accounts.services.costs import refresh_cost
from accounts.services.editing import MayNotEdit, NoSuchAccount, switch_accounts
from accounts.services.refreshing import refresh_tag, shown_refresh
from accounts.tasks.queue import QueueDown
from accounts.tasks.refreshing import begin_refresh
from orders.selectors.account_grid import FleetTotals, GridQuery, account_grid
from orders.selectors.account_orders import left_in
from orders.selectors.worth import Point, Span, fleet_worth, short_worth, span_of, thinned
from orders.views.frame import frame, rights
from orders.views.page_events import CHANGED, CLOSE, with_events

CONFLICT = 409
MOST_DRAWN = 300
NOBODY = "Tick at least one account first."
SPANS = {Span.DAY: "1D", Span.WEEK: "1W", Span.MONTH: "1M", Span.ALL: "All"}


@require_safe
@signed_in
def accounts(request: DeskRequest) -> HttpResponse:
    """Show the page; a filter or a head of a column asks for the grid alone."""
    if request.htmx:
        return render(request, "accounts/found.html", _grid(request))
    framed, shown = frame(request), _grid(request)
    plot = _plot(request, shown["spark"])
    return render(request, "accounts/accounts.html", {**framed, **shown, **plot})


@require_safe
@signed_in
@live_panel("accounts", also=refresh_tag)
def grid(request: DeskRequest) -> HttpResponse:
    """Show the grid, its sums and the refresh at work for an open page."""
    return render(request, "accounts/grid.html", _grid(request))


@require_safe
@signed_in
def worth(request: DeskRequest) -> JsonResponse:
    """Answer what the fleet was worth over time: Unix seconds and USD."""
    span = span_of(request.GET.get("span", ""))
    points = fleet_worth(span, now=timezone.now())
    return JsonResponse(
        {
            "span": span,
            "at": [int(at.timestamp()) for at, _ in points],
            "value": [float(value) for _, value in points],
        }
    )


@require_POST
@signed_in
@may_trade
def switch(request: DeskRequest) -> HttpResponse:
    """Take accounts into broadcasts (`?to=on`) or out of them, at once; it can be undone."""
    ids, to_on = chosen(request), request.GET.get("to") == "on"
    if not ids:
        return told(request, NOBODY, is_error=True)
    by = request.user.get_username()
    try:
        aliases = switch_accounts(account_ids=ids, is_active=to_on, actor=by, now=timezone.now())
    except MayNotEdit as error:
        return told(request, str(error), is_error=True)
    except NoSuchAccount:
        raise Http404 from None
    words = f"{named(aliases)} {_be(aliases)} {'in' if to_on else 'out of'} broadcasts"
    if not to_on and (left := left_in(ids)):
        words += f". {left}"
    undo = {"to": "off" if to_on else "on", "ids": ids} if aliases else None
    return told(request, words if aliases else "Nothing changed: so it was already", undo=undo)


@require_POST
@signed_in
@may_sync
def refresh(request: DeskRequest) -> HttpResponse:
    """Read the balances of all accounts (`?all=1`), of one (`?only=…`) or of those ticked."""
    ids = None if request.GET.get("all") else chosen(request)
    if ids is not None and not ids:
        return told(request, NOBODY, is_error=True)
    try:
        run = begin_refresh(ids, by=request.user.get_username())
    except QueueDown as error:
        return told(request, str(error), is_error=True)
    except NoSuchAccount:
        raise Http404 from None
    if request.htmx:
        shown = {"refresh": shown_refresh(run, now=timezone.now())}
        return with_events(render(request, "accounts/refresh.html", shown), CHANGED)
    messages.success(
        request, f"Reading {_count(len(run.accounts), 'account')}: {_cost(run.calls)}."
    )
    return redirect("accounts")


def chosen(request: DeskRequest) -> list[UUID]:
    """Return the one account that the address names, or else those that are ticked."""
    only = request.GET.get("only")
    words = [only] if only else [*request.POST.getlist("account"), *request.GET.getlist("account")]
    try:
        return list(dict.fromkeys(UUID(word) for word in words))
    except ValueError:
        raise Http404 from None


def told(
    request: DeskRequest,
    words: str,
    *,
    is_error: bool = False,
    undo: dict[str, Any] | None = None,
    closes: bool = False,
) -> HttpResponse:
    """Say what was done or why not: in a toast, or without JavaScript on the page."""
    if not request.htmx:
        (messages.error if is_error else messages.success)(request, words)
        return redirect("accounts")
    shown = {"words": words, "is_error": is_error, "undo": undo}
    answer = render(request, "accounts/toast.html", shown, status=CONFLICT if is_error else None)
    if is_error:
        return answer
    return with_events(answer, *([CLOSE] if closes else []), CHANGED)


def named(aliases: Sequence[str]) -> str:
    """Name one account, or say how many."""
    return aliases[0] if len(aliases) == 1 else _count(len(aliases), "account")


def _grid(request: DeskRequest) -> dict[str, Any]:
    now = timezone.now()
    found = account_grid(GridQuery.of(request.GET.dict()), now=now)
    return {
        "grid": found,
        "spark": short_worth(now=now),
        "refresh": shown_refresh(now=now),
        "cost": _cost_of_all(found.totals),
        **rights(request),
    }


def _plot(request: DeskRequest, day: Sequence[Point]) -> dict[str, Any]:
    """Return what the plot shows before a script draws a finer one: a day, or what is asked for."""
    wanted, now = request.GET.get("span", ""), timezone.now()
    span = span_of(wanted)
    points = fleet_worth(span, now=now) if wanted else day
    spans = [(one, words, _with(request, span=one.value)) for one, words in SPANS.items()]
    drawn = thinned(points, MOST_DRAWN)
    return {"span": span, "spans": spans, "drawn": drawn, "is_unfolded": bool(wanted)}


def _with(request: DeskRequest, **changes: str) -> str:
    return f"{reverse('accounts')}?{urlencode({**request.GET.dict(), **changes})}#aum"


def _cost_of_all(totals: FleetTotals) -> str:
    """Say what reading all accounts costs; logins that share a key may have to wait for it."""
    if totals.keys < totals.logins_ok:
        return refresh_cost(None)
    return _cost(totals.logins_ok)


def _cost(calls: int) -> str:
    return f"{_count(calls, 'call')}, one per login"


def _be(aliases: Sequence[str]) -> str:
    return "is" if len(aliases) == 1 else "are"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
