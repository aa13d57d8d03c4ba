"""The page or dialog in which who is signed in proves once more that it is he."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.decorators import DeskRequest, signed_in
from accounts.forms.signing_in import ProofForm
from accounts.services.proving import WrongPassword, lacks_factor, note_proof, prove_again
from accounts.services.second_factors import WrongFactor, factors_of
from accounts.services.tries import TooManyTries
from accounts.views.signing_in import given, passkey_question
from orders.views.dialogs import ask, is_in_dialog, tell
from orders.views.page_events import PROVED, with_events

DONE = "Proved. Go on, or press again, within the next 15 minutes."


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def prove(request: DeskRequest) -> HttpResponse:
    """Ask for password and second factor; then go on where one was."""
    form = _form(request)
    if form.is_valid() and _is_proved(request, form):
        return _go_on(request)
    shown = {
        "form": form,
        "back": _back(request),
        "dialog_title": "Prove who you are",
        **passkey_question(request, request.user),
    }
    if lacks_factor(request.session):  # he is shown nothing of the desk yet
        return render(request, "registration/prove.html", shown)
    return ask(request, "orders/_prove.html", shown)


def _form(request: DeskRequest) -> ProofForm:
    factors = factors_of(request.user)
    has_app, has_codes = factors.app_since is not None, bool(factors and factors.codes_left)
    return ProofForm(request.POST or None, has_app=has_app, has_codes=has_codes)


def _is_proved(request: DeskRequest, form: ProofForm) -> bool:
    """Take what was given, and put the session under a new key; or say in the form why not."""
    now, password = timezone.now(), form.cleaned_data["password"]
    try:
        factor = prove_again(request.user, password, given(request, form), now=now)
    except WrongPassword as error:
        form.add_error("password", str(error))
    except (WrongFactor, TooManyTries) as error:
        form.add_error(None, str(error))
    else:
        request.session.cycle_key()
        note_proof(request.session, factor, now=now)
    return form.is_valid()


def _go_on(request: DeskRequest) -> HttpResponse:
    if is_in_dialog(request):
        return with_events(tell(request, DONE, to=""), PROVED)
    return tell(request, DONE, to=_back(request))


def _back(request: DeskRequest) -> str:
    wanted = request.POST.get("next", request.GET.get("next", ""))
    return wanted if url_has_allowed_host_and_scheme(wanted, None) else reverse("desk")
