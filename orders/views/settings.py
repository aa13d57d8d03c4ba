"""The page on which a user sets how his desk looks and answers."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.decorators import DeskRequest, signed_in
from accounts.forms.settings import SettingsForm
from accounts.services.people import PREFERENCES, set_preferences
from orders.views.frame import frame


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def settings(request: DeskRequest) -> HttpResponse:
    """Show what he has set; a POST sets it."""
    user = request.user
    initial = {name: getattr(user, name) for name in PREFERENCES}
    form = SettingsForm(request.POST or None, initial=initial, may_exit=user.may_exit)
    if form.is_valid():
        changed = set_preferences(user, form.cleaned_data, now=timezone.now())
        messages.success(request, "Saved." if changed else "That was set already.")
        return redirect("settings")
    return render(request, "orders/settings.html", {**frame(request), "form": form})
