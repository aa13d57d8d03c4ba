"""Signing in: name and password first, then the second factor of who has one."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.domain.factors import Factor
from accounts.forms.signing_in import SecondForm, SignInForm
from accounts.live.asking import asking
from accounts.models import User
from accounts.services.passkeys import Site, ask_for_proof, find_site
from accounts.services.proving import ASKED, Given, check_factor, note_proof
from accounts.services.second_factors import Factors, WrongFactor, factors_of
from accounts.services.signing_in import (
    PENDING,
    WrongCredentials,
    begin_tries_anew,
    check_credentials,
    count_second_try,
    find_waiting,
    wait_for_second,
)
from accounts.services.tries import TooManyTries

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password; who has a second factor is asked for that next."""
    after = _after(request)
    if request.user.is_authenticated:
        return redirect(after)
    form, status = SignInForm(request.POST or None), 200
    if form.is_valid():
        try:
            return _second_or_in(request, _user_of(form), after)
        except WrongCredentials as error:
            form.add_error(None, str(error))
        except TooManyTries as error:
            form.add_error(None, str(error))
            status = 429
    return render(request, "registration/login.html", {"form": form, "next": after}, status=status)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask whose password was right for his second factor."""
    found = find_waiting(request.session, now=timezone.now())
    if found is None:
        return redirect("sign-in")
    user, after = found
    factors = factors_of(user)
    form = second_form(request, factors)
    if form.is_valid():
        count_second_try(request.session)
        try:
            factor = check_factor(user, given(request, form), now=timezone.now())
        except (WrongFactor, TooManyTries) as error:
            form.add_error(None, str(error))
        else:
            return enter(request, user, factor, after)
    shown = {"form": form, "who": user.get_username(), **passkey_question(request, user)}
    return render(request, "registration/second.html", shown)


def enter(request: HttpRequest, user: User, factor: Factor | None, after: str) -> HttpResponse:
    """Sign somebody in who proved himself: under a new session key, and on record."""
    request.session.pop(PENDING, None)
    now = timezone.now()
    login(request, user, backend=BACKEND)
    note_proof(request.session, factor, now=now)
    begin_tries_anew(user, address=asking().address)
    return redirect(after)


def second_form(request: HttpRequest, factors: Factors) -> SecondForm:
    """Return the form for the second factors that somebody has."""
    has_app, has_codes = factors.app_since is not None, factors.codes_left > 0
    return SecondForm(request.POST or None, has_app=has_app, has_codes=has_codes)


def given(request: HttpRequest, form: Any) -> Given:
    """Return what was typed or signed; the question a passkey answered is taken back for good."""
    return Given(
        code=form.cleaned_data["code"],
        passkey=form.cleaned_data["passkey"],
        state=request.session.pop(ASKED, None),
        site=site_of(request),
    )


def passkey_question(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what a page needs that takes a passkey; the answer must fit what the session keeps."""
    site = site_of(request)
    question = ask_for_proof(user, site, now=timezone.now()) if site else None
    if question is None:
        return {"passkey_options": "", "wants_host": site is None and user.passkeys.exists()}
    request.session[ASKED] = question.state
    return {"passkey_options": question.options, "wants_host": False}


def site_of(request: HttpRequest) -> Site | None:
    """Return where the browser is; None where it has no passkeys."""
    return find_site(request.get_host(), f"{request.scheme}://{request.get_host()}")


def _user_of(form: SignInForm) -> User:
    """Return whose name and password these are. Errors: WrongCredentials, TooManyTries."""
    typed = form.cleaned_data
    return check_credentials(
        name=typed["username"],
        password=typed["password"],
        address=asking().address,
        now=timezone.now(),
    )


def _second_or_in(request: HttpRequest, user: User, after: str) -> HttpResponse:
    if not factors_of(user):
        return enter(request, user, None, after)
    wait_for_second(request.session, user, after=after, now=timezone.now())
    request.session.cycle_key()
    return redirect("second-step")


def _after(request: HttpRequest) -> str:
    """Return where to go after it: an address of ours, whatever was asked for."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)
