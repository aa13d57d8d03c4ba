"""Hooks and receivers: who may place saved orders from outside, and who is told what happens."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import DeskRequest, freshly_proved, may_administer, may_trade, signed_in
from accounts.domain.happenings import Channel
from accounts.forms.hooks import ActForm, HookForm, ReceiverForm
from accounts.models import Hook, Receiver
from accounts.services.hooks import (
    BadHook,
    Made,
    add_hook,
    add_receiver,
    remove,
    renew_secret,
    switch,
)
from orders.selectors.hooks import list_hooks, list_receivers
from orders.views.frame import frame


@require_safe
@signed_in
@may_trade
def hooks(request: DeskRequest) -> HttpResponse:
    """Show hooks and receivers with their last deliveries; never a secret."""
    return _page(request)


@require_POST
@signed_in
@may_trade
@may_administer
@freshly_proved
def add(request: DeskRequest) -> HttpResponse:
    """Make a hook, and show its secret this once."""
    form = HookForm(request.POST)
    return _made(request, form, add_hook) or _page(request, hook_form=form)


@require_POST
@signed_in
@may_trade
@may_administer
@freshly_proved
def receiver_add(request: DeskRequest) -> HttpResponse:
    """Make a receiver, and show its secret this once."""
    form = ReceiverForm(request.POST)
    return _made(request, form, add_receiver) or _page(request, receiver_form=form)


@require_POST
@signed_in
@may_trade
@may_administer
@freshly_proved
def change(request: DeskRequest, hook_id: UUID) -> HttpResponse:
    """Switch a hook on or off, give it another secret, or throw it away."""
    return _change(request, get_object_or_404(Hook, pk=hook_id))


@require_POST
@signed_in
@may_trade
@may_administer
@freshly_proved
def receiver_change(request: DeskRequest, receiver_id: UUID) -> HttpResponse:
    """Do the same to a receiver; the mailbox is that of the settings and stays as it is."""
    webhooks = Receiver.objects.filter(channel=Channel.WEBHOOK)
    return _change(request, get_object_or_404(webhooks, pk=receiver_id))


def _made(request: DeskRequest, form: Form, make: Callable[..., Made]) -> HttpResponse | None:
    """Show the secret of what a form makes, this once; None where the form says what is wrong."""
    if not form.is_valid():
        return None
    try:
        made = make(**form.cleaned_data, actor=_actor(request), now=timezone.now())
    except BadHook as error:
        form.add_error(error.field, str(error))
        return None
    return _secret(request, made)


def _change(request: DeskRequest, row: Hook | Receiver) -> HttpResponse:
    form = ActForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed.")
        return redirect("hooks")
    act, actor, now = form.cleaned_data["act"], _actor(request), timezone.now()
    if act == "secret":
        return _secret(request, renew_secret(row, actor=actor, now=now))
    if act == "remove":
        remove(row, actor=actor, now=now)
        messages.success(request, f"{row.name} was removed.")
    else:
        switch(row, is_enabled=act == "enable", actor=actor, now=now)
        messages.success(request, f"{row.name} is switched {'on' if act == 'enable' else 'off'}.")
    return redirect("hooks")


def _page(
    request: DeskRequest,
    *,
    hook_form: HookForm | None = None,
    receiver_form: ReceiverForm | None = None,
) -> HttpResponse:
    shown: dict[str, Any] = {
        "hooks": list_hooks(),
        "receivers": list_receivers(),
        "may_administer": request.user.may_administer,
        "hook_form": hook_form or HookForm(),
        "receiver_form": receiver_form or ReceiverForm(),
        "takes_hooks": settings.HOOK_IN,
        "mails_to": len(settings.ALERT_TO),
    }
    return render(request, "orders/hooks.html", {**frame(request), **shown})


def _secret(request: DeskRequest, made: Made) -> HttpResponse:
    is_hook = isinstance(made.row, Hook)
    shown = {"row": made.row, "secret": made.secret, "is_hook": is_hook, "web": settings.WEB_URL}
    return render(request, "orders/hook_secret.html", {**frame(request), **shown})


def _actor(request: DeskRequest) -> str:
    return request.user.get_username()
