"""The modes in force, what they leave behind, the form that sets one, and the freeze button."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import DeskRequest, ask_for_proof, signed_in
from accounts.domain.modes import opens_fleet
from accounts.domain.words import Mode, ModeScope
from accounts.selectors.modes import ModeInForce, get_mode, modes_in_force
from accounts.services.modes import BadMode
from accounts.services.proving import is_fresh
from orders.forms.modes import ModeForm, asked_for
from orders.selectors.leaving import left_behind
from orders.services.freezing import (
    Frozen,
    MayNotLoosen,
    PasswordRequired,
    change_mode_as,
    freeze_fleet,
)
from orders.views.frame import frame

FROM_THE_DESK = "by {}, from the desk"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def modes(request: DeskRequest) -> HttpResponse:
    """Show what is in force; an open page asks for that alone. A POST sets a mode."""
    in_force = [one for one in modes_in_force() if one.rule.scope != ModeScope.GATE]
    if request.method == "POST":
        return _set(request, in_force)
    if request.htmx:
        return render(request, "orders/_modes.html", _listed(request, in_force))
    return _page(request, in_force, _blank(request, in_force))


@require_POST
@signed_in
def freeze(request: DeskRequest) -> HttpResponse:
    """Freeze the fleet at once, and show what that leaves behind."""
    _check_may_freeze(request)
    why = FROM_THE_DESK.format(request.user.get_username())
    frozen = freeze_fleet(why=why[:200], by=request.user, now=timezone.now())
    messages.success(request, _words(frozen))
    return redirect("modes")


def _set(request: DeskRequest, in_force: Sequence[ModeInForce]) -> HttpResponse:
    _check_may_freeze(request)
    form = _form(request, in_force, data=request.POST)
    if not form.is_valid():
        return _page(request, in_force, form)
    if opens_fleet(form.wish()) and not is_fresh(request.session, now=timezone.now()):
        return ask_for_proof(request, back=f"{reverse('modes')}?scope=FLEET&mode=OPEN")
    password = form.cleaned_data.get("password", "")
    try:
        frozen = change_mode_as(request.user, form.wish(), password=password, now=timezone.now())
    except BadMode as error:
        form.refuse(error.field, str(error))
    except (PasswordRequired, MayNotLoosen) as error:
        form.refuse("password", str(error))
    else:
        messages.success(request, _words(frozen))
        return redirect("modes")
    return _page(request, in_force, form)


def _check_may_freeze(request: DeskRequest) -> None:
    if not request.user.may_freeze:
        raise PermissionDenied


def _blank(request: DeskRequest, in_force: Sequence[ModeInForce]) -> ModeForm:
    """Return the form for what the address asks: `?scope=…&target=…&mode=OPEN`."""
    defaults = {"scope": ModeScope.FLEET.value, "target": "", "mode": Mode.FROZEN.value}
    words = {name: request.GET.get(name, default) for name, default in defaults.items()}
    return _form(request, in_force, initial=asked_for(**words))


def _form(request: DeskRequest, in_force: Sequence[ModeInForce], **given: Any) -> ModeForm:
    return ModeForm(in_force=in_force, may_loosen=request.user.may_trade, **given)


def _page(request: DeskRequest, in_force: Sequence[ModeInForce], form: ModeForm) -> HttpResponse:
    shown = {**frame(request), **_listed(request, in_force), "form": form}
    return render(request, "orders/modes.html", shown)


def _listed(request: DeskRequest, in_force: Sequence[ModeInForce]) -> dict[str, Any]:
    return {
        "rows": [(one, left_behind(one.rule)) for one in in_force],
        "may_trade": request.user.may_trade,
    }


def _words(frozen: Frozen) -> str:
    """Say what was done: the mode, and what it stopped."""
    change = frozen.change
    rule = change.rule
    name = get_mode(rule.scope, rule.target).name
    said = [f"{name}: {'now' if change.is_new else 'still'} {rule.mode_words}."]
    if frozen.skipped:
        said.append(f"Stopped before they were sent: {_count(frozen.skipped, 'order')}.")
    if frozen.ladders_stopped:
        said.append(f"Stopped: {_count(frozen.ladders_stopped, 'price ladder')}.")
    return " ".join(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
