"""Limits, alarms and broker logins in the administration."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.rows import AnyModelForm, Rows
from accounts.admin.site import administration
from accounts.domain.limits import LimitName, why_not
from accounts.models import Alarm, BrokerLogin, Limit, Token
from accounts.services.limits import SenselessLimit, set_limit


class LimitForm(AnyModelForm):
    """Takes only values that make sense for this limit."""

    class Meta:
        model = Limit
        fields = ["value"]

    def clean_value(self) -> Decimal:
        value: Decimal = self.cleaned_data["value"]
        if words := why_not(LimitName(self.instance.name), value):
            raise ValidationError(words)
        return value

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        return _plain(super().get_initial_for_field(field, field_name))


@admin.register(Limit, site=administration)
class LimitAdmin(Rows):
    """Limits are edited, never added or removed: their names are the code's."""

    form = LimitForm
    refusals = (SenselessLimit,)
    list_display = ["name", "number", "about"]
    ordering = ["name"]
    fields = ["name", "about", "value"]
    readonly_fields = ["name", "about"]

    @admin.display(description="value", ordering="value")
    def number(self, obj: Limit) -> str:
        return f"{_plain(obj.value):,f}"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = str(request.user)
        set_limit(name=LimitName(obj.name), value=obj.value, actor=actor, now=timezone.now())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_known = obj is None or obj.name in set(LimitName)
        return administration.has_permission(request) and is_known

    def subject_of(self, obj: Any) -> str:
        return f"limit:{obj.name}" if obj else ""


@admin.register(Alarm, site=administration)
class AlarmAdmin(Rows):
    """Alarms are acknowledged on their own page."""

    list_display = ["raised_at", "code", "subject", "words", "acknowledged_at", "acknowledged_by"]
    list_filter = ["code", ("acknowledged_at", admin.EmptyFieldListFilter), "raised_at"]
    list_select_related = ["acknowledged_by"]
    search_fields = ["code", "subject", "words"]
    ordering = ["-raised_at"]

    def subject_of(self, obj: Any) -> str:
        return obj.subject if obj else ""


@admin.register(BrokerLogin, site=administration)
class BrokerLoginAdmin(Rows):
    """Logins without what they sign in with; they are kept on their own page."""

    list_display = ("label", "environment", "status", "status_reason", "authorized_at", "renew_at")
    list_filter = ["status", "environment", "is_automatic"]
    search_fields = ["label"]
    fields = (*list_display, "callback_url", "is_automatic", "automatic_why", "created_at")


@admin.register(Token, site=administration)
class TokenAdmin(Rows):
    """How long tokens are good; never a token."""

    list_display = ("login", "access_expires_at", "refresh_expires_at", "version", "updated_at")
    list_select_related = ["login"]
    search_fields = ["login__label"]
    ordering = ["login__label"]
    fields = (*list_display, "lease_until")


def _plain(value: Any) -> Any:
    """Write a number without the zeros that the column adds."""
    return value if not isinstance(value, Decimal) else Decimal(f"{value.normalize():f}")
