"""The board of logins: how long each can trade, and everything that is done with one."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import (
    DeskRequest,
    freshly_proved,
    freshly_proved_to_change,
    may_trade,
    signed_in,
)
from accounts.domain.words import Environment
from accounts.live.responses import live_panel
from accounts.models import Account, BrokerLogin, LoginAttempt
from accounts.services.browser_sign_in import picture_of, switch_automation
from accounts.services.logins import (
    LabelTaken,
    change_login,
    create_login,
    create_logins,
    try_login,
    unlink_account,
)
from accounts.services.renewals import why_not
from accounts.tasks import sign_in_by_browser
from accounts.tasks.queue import QueueDown, check_queue, enqueue
from orders.forms.logins import ImportForm, LoginForm
from orders.selectors.runway import due_logins, forecast, runways
from orders.views.frame import frame
from orders.views.tables import csv_answer

TAKEN = "Another login has this label."


@require_safe
@signed_in
def logins(request: DeskRequest) -> HttpResponse:
    """Show every login, the one that ends first in front."""
    framed = frame(request)
    shown = {**framed, **_board(), "version": framed["frame_version"]}
    return render(request, "orders/logins.html", shown)


@require_safe
@signed_in
@live_panel("status")
def logins_panel(request: DeskRequest) -> HttpResponse:
    """Show the board alone, for an open page."""
    return render(request, "orders/_logins.html", {**_board(), "may_trade": request.user.may_trade})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
@freshly_proved_to_change
def new_login(request: DeskRequest) -> HttpResponse:
    """Take a new login; it is connected next."""
    form = LoginForm(request.POST or None, login=None, callback=settings.OAUTH_CALLBACK_URL)
    if form.is_valid():
        values = {name: value or "" for name, value in form.values().items()}
        try:
            login = create_login(
                environment=Environment(settings.ENVIRONMENT),
                values=values,
                actor=request.user.get_username(),
                now=timezone.now(),
            )
        except LabelTaken:
            form.add_error("label", TAKEN)
        else:
            messages.success(request, f"{login.label} is kept. Connect it now.")
            return redirect("login", login.pk)
    return render(request, "orders/login_new.html", {**frame(request), "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
@freshly_proved_to_change
def login(request: DeskRequest, login_id: UUID) -> HttpResponse:
    """Show one login with its accounts and attempts; a POST changes what it signs in with."""
    found = _find(login_id)
    form = LoginForm(request.POST or None, login=found)
    if form.is_valid():
        try:
            changed = change_login(
                found.pk,
                values=form.values(),
                actor=request.user.get_username(),
                now=timezone.now(),
            )
        except LabelTaken:
            form.add_error("label", TAKEN)
        else:
            words = ", ".join(name.replace("_", " ") for name in changed)
            messages.success(request, f"Changed: {words}." if changed else "Nothing was changed.")
            return redirect("login", found.pk)
    return render(request, "orders/login.html", {**frame(request), **_shown(found), "form": form})


@require_POST
@signed_in
@may_trade
def login_test(request: DeskRequest, login_id: UUID) -> HttpResponse:
    """Ask the broker whether a login works, and say what it answered."""
    found = _find(login_id)
    messages.info(request, f"{found.label}: {try_login(found)}")
    return redirect("login", found.pk)


@require_POST
@signed_in
@may_trade
@freshly_proved_to_change
def login_automation(request: DeskRequest, login_id: UUID) -> HttpResponse:
    """Let the browser sign in for a login, or not any more."""
    found, is_on = _find(login_id), request.POST.get("is_on") == "1"
    now, actor = timezone.now(), request.user.get_username()
    switch_automation(found.pk, is_on=is_on, actor=actor, now=now)
    messages.success(request, f"{found.label} signs in {'by itself' if is_on else 'by hand'}.")
    return redirect("login", found.pk)


@require_POST
@signed_in
@may_trade
def login_browser(request: DeskRequest, login_id: UUID) -> HttpResponse:
    """Send the browser out for a login now."""
    found = _find(login_id)
    if words := why_not(found, now=timezone.now()):
        messages.error(request, f"{found.label}: {words}")
        return redirect("login", found.pk)
    try:
        check_queue()
    except QueueDown as error:
        messages.error(request, str(error))
    else:
        enqueue(sign_in_by_browser, login_id=str(found.pk))
        messages.success(request, f"The browser signs in for {found.label}. Look here in a minute.")
    return redirect("login", found.pk)


@require_POST
@signed_in
@may_trade
@freshly_proved_to_change
def account_unlink(request: DeskRequest, account_id: UUID) -> HttpResponse:
    """Take an account back from its login."""
    account = get_object_or_404(Account, pk=account_id, login__environment=settings.ENVIRONMENT)
    actor = request.user.get_username()
    alias = unlink_account(account.pk, actor=actor, now=timezone.now())
    messages.success(
        request, f"{alias} is unlinked and switched off. Connecting its login links it again."
    )
    return redirect("login", account.login_id)


@require_safe
@signed_in
@may_trade
def attempt_picture(request: DeskRequest, attempt_id: UUID) -> HttpResponse:
    """Show the last page of an attempt; everything typed was blanked before it was taken."""
    ours = LoginAttempt.objects.filter(login__environment=settings.ENVIRONMENT)
    picture = picture_of(get_object_or_404(ours, pk=attempt_id))
    if picture is None:
        return HttpResponse("There is no picture of it any more.", status=404)
    return HttpResponse(picture, content_type="image/png")


@require_safe
@signed_in
@may_trade
@freshly_proved
def logins_csv(request: DeskRequest) -> HttpResponse:
    """Write the logins as CSV, without anything secret."""
    head = ("label", "callback_url", "status", "automatic", "ends_at", "accounts")
    ours = BrokerLogin.objects.filter(environment=settings.ENVIRONMENT)
    callbacks = dict(ours.values_list("pk", "callback_url"))
    rows = [
        (
            one.label,
            callbacks[one.id],
            one.status,
            "yes" if one.is_automatic else "no",
            one.ends_at,
            one.accounts,
        )
        for one in runways()
    ]
    return csv_answer("logins", head, rows, now=timezone.now())


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@may_trade
@freshly_proved_to_change
def logins_import(request: DeskRequest) -> HttpResponse:
    """Take logins as CSV, all or none."""
    form = ImportForm(request.POST or None)
    if form.is_valid():
        count = create_logins(
            form.cleaned_data["text"],
            environment=Environment(settings.ENVIRONMENT),
            actor=request.user.get_username(),
            now=timezone.now(),
        )
        messages.success(request, f"{count} logins are kept. Connect them now.")
        return redirect("logins")
    return render(request, "orders/logins_import.html", {**frame(request), "form": form})


def _find(login_id: UUID) -> BrokerLogin:
    return get_object_or_404(BrokerLogin, pk=login_id, environment=settings.ENVIRONMENT)


def _board() -> dict[str, Any]:
    rows, now = runways(), timezone.now()
    return {
        "rows": [(one, one.tone(now)) for one in rows],
        "forecast": forecast(rows, now=now),
        "due": due_logins(rows, now=now),
    }


def _shown(found: BrokerLogin) -> dict[str, Any]:
    rows = {one.id: one for one in runways()}
    return {
        "runway": rows[found.pk],
        "tone": rows[found.pk].tone(timezone.now()),
        "accounts": found.accounts.order_by("position"),
        "attempts": found.attempts.order_by("-began_at")[:10],
        "why_not": why_not(found, now=timezone.now()),
    }
