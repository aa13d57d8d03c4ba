"""The page on which a user sets up what he proves himself with beside his password."""

from typing import Any
from uuid import UUID

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import DeskRequest, freshly_proved_to_change, signed_in
from accounts.domain.factors import Factor
from accounts.forms.signing_in import CodeForm, PasskeyForm, PasskeyNameForm
from accounts.services.passkeys import (
    add_passkey,
    ask_for_new,
    remove_passkey,
    rename_passkey,
)
from accounts.services.proving import ASKED, FACTOR, lacks_factor
from accounts.services.second_factors import (
    AppOffer,
    LastFactor,
    WrongFactor,
    confirm_app,
    factor_is_required,
    factors_of,
    make_recovery_codes,
    offer_app,
    remove_app,
)
from accounts.views.signing_in import site_of
from orders.views.frame import frame

NEEDS_ONE = "Add an app or a passkey first: codes on paper only stand in for it."


@require_safe
@signed_in
def second_factors(request: DeskRequest) -> HttpResponse:
    """Show what the user has."""
    return _page(request)


@require_POST
@signed_in
@freshly_proved_to_change
def offer(request: DeskRequest) -> HttpResponse:
    """Show a new key for an app, this once."""
    return _page(request, app=_drawn(offer_app(request.user, now=timezone.now())))


@sensitive_post_parameters()
@require_POST
@signed_in
@freshly_proved_to_change
def confirm(request: DeskRequest) -> HttpResponse:
    """Take the code that shows that the app has the key."""
    form, now = CodeForm(request.POST), timezone.now()
    if not form.is_valid():
        return _page(request, code_form=form)
    try:
        confirm_app(request.user, form.cleaned_data["code"].strip(), now=now)
    except WrongFactor as error:
        form.add_error("code", str(error))
        return _page(request, code_form=form)
    request.session[FACTOR] = Factor.TOTP.value
    messages.success(request, "Your app is set up. It is asked for at your next sign-in.")
    return redirect("second-factors")


@require_POST
@signed_in
@freshly_proved_to_change
def remove_the_app(request: DeskRequest) -> HttpResponse:
    """Let the app count no more."""
    try:
        remove_app(request.user, now=timezone.now())
    except LastFactor as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The app is removed. Delete its entry on the phone, too.")
    return redirect("second-factors")


@sensitive_post_parameters()
@require_POST
@signed_in
@freshly_proved_to_change
def new_passkey(request: DeskRequest) -> HttpResponse:
    """Keep a passkey that the browser made."""
    form = PasskeyForm(request.POST)
    if not (form.is_valid() and _is_added(request, form)):
        return _page(request, passkey_form=form)
    request.session[FACTOR] = Factor.PASSKEY.value
    messages.success(request, f"{form.cleaned_data['name']} is added.")
    return redirect("second-factors")


def _is_added(request: DeskRequest, form: PasskeyForm) -> bool:
    """Add the passkey, or say in the form why not; its question is used up either way."""
    typed, state = form.cleaned_data, request.session.pop(ASKED, None)
    try:
        add_passkey(
            request.user,
            name=typed["name"],
            answer=typed["passkey"],
            state=state,
            site=site_of(request),
            now=timezone.now(),
        )
    except WrongFactor as error:
        form.add_error(None, str(error))
    return form.is_valid()


@require_POST
@signed_in
@freshly_proved_to_change
def passkey(request: DeskRequest, passkey_id: UUID) -> HttpResponse:
    """Give a passkey another name, or remove it."""
    key, now = get_object_or_404(request.user.passkeys, pk=passkey_id), timezone.now()
    form = PasskeyNameForm(request.POST)
    if request.POST.get("remove") == "1":
        try:
            remove_passkey(request.user, key, now=now)
            messages.success(request, f"{key.name} is removed.")
        except LastFactor as error:
            messages.error(request, str(error))
    elif form.is_valid():
        rename_passkey(request.user, key, form.cleaned_data["name"], now=now)
        messages.success(request, "Renamed.")
    return redirect("second-factors")


@require_POST
@signed_in
@freshly_proved_to_change
def recovery_codes(request: DeskRequest) -> HttpResponse:
    """Make codes for paper and show them, this once."""
    if not factors_of(request.user):
        messages.error(request, NEEDS_ONE)
        return redirect("second-factors")
    return _page(request, codes=make_recovery_codes(request.user, now=timezone.now()))


def _page(request: DeskRequest, **shown: Any) -> HttpResponse:
    """Show everything; without the frame to whom nothing else is shown yet."""
    is_led_here = lacks_factor(request.session)
    shown = {
        **({} if is_led_here else frame(request)),
        "layout": "_card.html" if is_led_here else "orders/page.html",
        "is_led_here": is_led_here,
        "is_required": factor_is_required(),
        "factors": factors_of(request.user),
        "code_form": CodeForm(),
        "passkey_form": PasskeyForm(),
        **_new_passkey(request),
        **shown,
    }
    return render(request, "orders/second_factors.html", shown)


def _new_passkey(request: DeskRequest) -> dict[str, str]:
    site = site_of(request)
    if site is None:
        return {"new_options": ""}
    question = ask_for_new(request.user, site, now=timezone.now())
    request.session[ASKED] = question.state
    return {"new_options": question.options}


def _drawn(app: AppOffer) -> dict[str, str]:
    """Return the key as text in groups of four, and as a picture for the phone's camera."""
    secret = app.secret
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    picture = segno.make(app.address, error="m").svg_inline(scale=4, border=2)
    return {"key": groups, "picture": mark_safe(picture)}  # noqa: S308 - drawn here, no markup in it
