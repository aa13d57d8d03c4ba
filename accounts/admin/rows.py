"""How rows are shown in the administration: looked at, unless a model's own page says more."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.admin.site import administration
from accounts.services.audit import subject_of

if TYPE_CHECKING:  # Django's own classes take no parameters
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelAdmin, AnyModelForm = admin.ModelAdmin, forms.ModelForm


class Rows(AnyModelAdmin):
    """Rows of one model: seen by admins, added and changed through services, never removed.

    `refusals` are what those services raise; their text is shown, and nothing is written.
    """

    actions = None
    list_per_page = 100
    show_full_result_count = False
    refusals: tuple[type[Exception], ...] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return administration.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administration.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            answer: HttpResponse = super().changeform_view(
                request, object_id, form_url, extra_context
            )
        except self.refusals as error:
            messages.error(request, str(error))
            return redirect(request.path)
        return answer

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the record of the row: nothing else is kept of who changed what."""
        subject = self.subject_of(self.get_object(request, object_id))
        return redirect(f"{reverse('admin:accounts_auditevent_changelist')}?q={subject}")

    def subject_of(self, obj: Any) -> str:
        """Return how the record names a row."""
        return subject_of(obj) if isinstance(obj, models.Model) else ""

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        """Write nothing: the service that saved the row has done so."""

    def log_addition(self, request: Any, obj: Any, message: Any) -> Any:
        """Leave it to the record."""

    def log_change(self, request: Any, obj: Any, message: Any) -> Any:
        """Leave it to the record."""
