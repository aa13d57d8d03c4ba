"""The administration's door: admins only, with their second factor, by our own sign-in."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from accounts.decorators import READING, DeskRequest, ask_for_proof
from accounts.domain.roles import Power
from accounts.models import User
from accounts.services.proving import is_fresh, lacks_factor

# Addresses of Django's admin that write rows past our services, or that nothing here needs.
GONE = {"password_change", "password_change_done", "autocomplete", "view_on_site"}
View = Callable[..., Any]


class Administration(AdminSite):
    """Knows nothing of Django's permissions: the role decides."""

    site_title = index_title = "Administration"
    site_header = "Tradeswim administration"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not isinstance(user, User) or not user.may(Power.ADMINISTER):
            return False
        return not lacks_factor(request.session)

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Refuse who is signed in and may not come in; ask who changes anything to prove himself.

        Users, limits and schedules are changed here, and nothing else.
        """
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            may_change = request.method in READING or is_fresh(request.session, now=timezone.now())
            if request.user.is_authenticated and not may_change:
                return ask_for_proof(cast("DeskRequest", request))
            return inner(request, *args, **kwargs)

        return guarded

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead strangers to the sign-in; who is signed in already may not come in at all."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer nothing: Django wants the address, but there is one way to sign out."""
        raise Http404

    def get_urls(self) -> list[URLResolver | URLPattern]:
        return [one for one in super().get_urls() if getattr(one, "name", None) not in GONE]


administration = Administration(name="admin")
