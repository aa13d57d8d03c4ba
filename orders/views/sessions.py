"""The page on which a user sees what he is signed in with, and ends it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import DeskRequest, may_administer, signed_in
from accounts.models import User
from accounts.services.session_ends import (
    BY_ADMIN,
    end_all_sessions,
    end_other_sessions,
    end_session,
)
from accounts.services.session_use import keep_signed_in
from orders.selectors.sessions import sessions_of, signed_in_users
from orders.views.frame import frame


@require_safe
@signed_in
def sessions(request: DeskRequest) -> HttpResponse:
    """Show the sessions of this user; to an admin, who else is signed in."""
    user, now = request.user, timezone.now()
    here = request.session.session_key or ""
    shown = {
        "sessions": sessions_of(user, here=here, now=now),
        "others": signed_in_users(but=user, now=now) if user.may_administer else [],
    }
    return render(request, "orders/sessions.html", {**frame(request), **shown})


@require_POST
@signed_in
def end(request: DeskRequest) -> HttpResponse:
    """End one of his sessions; one that is over already stays so."""
    user, name = request.user, request.POST.get("session", "")
    if end_session(user, name, actor=user.get_username(), now=timezone.now()):
        messages.success(request, "The session is ended.")
    else:
        messages.info(request, "That session was over already.")
    return redirect("sessions")


@require_POST
@signed_in
def end_others(request: DeskRequest) -> HttpResponse:
    """End all of his sessions but this one."""
    here = request.session.session_key or ""
    ended = end_other_sessions(request.user, but=here, now=timezone.now())
    messages.success(request, f"Sessions ended: {ended}. You are signed in here only.")
    return redirect("sessions")


@require_POST
@signed_in
@may_administer
def end_of_user(request: DeskRequest) -> HttpResponse:
    """End everything that somebody else is signed in with."""
    wanted = request.POST.get("user", "")
    user = get_object_or_404(User, pk=wanted if wanted.isdecimal() and len(wanted) < 10 else 0)
    actor = request.user.get_username()
    ended = end_all_sessions(user, actor=actor, reason=BY_ADMIN, now=timezone.now())
    messages.success(request, f"Sessions of {user.get_username()} ended: {ended}.")
    return redirect("sessions")


@require_POST
@signed_in
def stay(request: DeskRequest) -> HttpResponse:
    """Keep an idle page signed in: somebody is there."""
    row = request.session.row
    if row is not None:
        keep_signed_in(row, now=timezone.now())
    return HttpResponse(status=204)
