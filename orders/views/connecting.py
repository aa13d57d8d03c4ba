"""Signing in at the broker in the agent's own browser: out, back, or pasted."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import DeskRequest, may_trade, signed_in
from accounts.models import BrokerLogin
from accounts.services.authorizing import Connected, NotConnected, begin, finish, finish_pasted
from orders.forms.logins import PasteForm
from orders.selectors.runway import due_logins, runways
from orders.views.frame import frame

AGAIN = "again"


@require_POST
@signed_in
@may_trade
def connect(request: DeskRequest, login_id: UUID) -> HttpResponse:
    """Send the browser to the broker for one login."""
    return _send_out(request, _find(login_id))


@require_POST
@signed_in
@may_trade
def connect_due(request: DeskRequest) -> HttpResponse:
    """Send the browser to the broker for every login that is due, one after the other."""
    due = [one.id for one in due_logins(runways(), now=timezone.now())]
    if not due:
        messages.info(request, "No login is due.")
        return redirect("logins")
    return _send_out(request, _find(due[0]), due[1:])


@require_safe
@never_cache
def callback(request: HttpRequest) -> HttpResponseBase:
    """Take what the broker sent the browser back with, and open the next login of the queue.

    A browser that comes from another site does not send its cookie with the first request: it is
    let in by a page of ours that asks once more.
    """
    if not request.user.is_authenticated and AGAIN not in request.GET:
        address = f"{request.get_full_path()}&{AGAIN}=1"
        return render(request, "orders/connect_again.html", {"address": address})
    return _come_back(request)


@signed_in
@may_trade
def _come_back(request: DeskRequest) -> HttpResponse:
    try:
        connected = finish(
            request.GET.dict(),
            session_key=request.session.session_key or "",
            actor=request.user.get_username(),
            now=timezone.now(),
        )
    except NotConnected as error:
        return _refused(request, str(error))
    tell(request, connected)
    if not connected.queue:
        return redirect("login", connected.login.pk)
    return HttpResponseRedirect(_address(request, _find(connected.queue[0]), connected.queue[1:]))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
def paste(request: DeskRequest, login_id: UUID) -> HttpResponse:
    """Take the address that a browser was sent back to, where nothing listens on it."""
    found = _find(login_id)
    form = PasteForm(request.POST if "address" in request.POST else None)
    shown = {**frame(request), "login": found, "form": form}
    if form.is_valid():
        try:
            connected = finish_pasted(
                found,
                form.cleaned_data["address"],
                session_key=request.session.session_key or "",
                actor=request.user.get_username(),
                now=timezone.now(),
            )
        except NotConnected as error:
            form.add_error("address", str(error))
        else:
            tell(request, connected)
            return redirect("login", found.pk)
    elif request.method == "POST" and "address" not in request.POST:
        shown["address"] = _address(request, found)
    return render(request, "orders/connect_paste.html", shown)


def tell(request: DeskRequest, connected: Connected) -> None:
    """Say what a sign-in brought."""
    label, left = connected.login.label, len(connected.queue)
    more = f" {left} more to go." if left else ""
    messages.success(request, f"{label} is connected for seven days.{more}")
    if connected.new:
        words = ", ".join(connected.new)
        messages.warning(request, f"New accounts: {words}. Switch them on under Accounts.")
    if connected.missing:
        words = ", ".join(connected.missing)
        messages.error(request, f"No longer linked: {words}. Connect again and tick them.")


def _send_out(request: DeskRequest, login: BrokerLogin, queue: Sequence[UUID] = ()) -> HttpResponse:
    """Answer with a page that goes on to the broker: the policy lets no form lead away."""
    address = _address(request, login, queue)
    return render(
        request, "orders/connect_out.html", {"address": address, "login": login, "left": len(queue)}
    )


def _address(request: DeskRequest, login: BrokerLogin, queue: Sequence[UUID] = ()) -> str:
    key = request.session.session_key or ""
    return begin(login, session_key=key, now=timezone.now(), queue=queue)


def _refused(request: DeskRequest, words: str) -> HttpResponse:
    shown = {**frame(request), "words": words}
    return render(request, "orders/connect_refused.html", shown, status=400)


def _find(login_id: UUID) -> BrokerLogin:
    return get_object_or_404(BrokerLogin, pk=login_id, environment=settings.ENVIRONMENT)
