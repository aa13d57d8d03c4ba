"""What an admin edits by hand: the limits of the pre-trade guards."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accounts.domain.limits import LimitName, why_not
from accounts.domain.words import Role
from accounts.models import Limit, User
from accounts.services.limits import set_limit

if TYPE_CHECKING:  # Django's own classes take no parameters
    LimitModelForm = forms.ModelForm[Limit]
    LimitModelAdmin = admin.ModelAdmin[Limit]
else:
    LimitModelForm, LimitModelAdmin = forms.ModelForm, admin.ModelAdmin


class LimitForm(LimitModelForm):
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


@admin.register(Limit)
class LimitAdmin(LimitModelAdmin):
    """Limits are edited, never added or removed: their names are the code's."""

    form = LimitForm
    list_display = ["name", "number", "about"]
    ordering = ["name"]
    fields = ["name", "about", "value"]
    readonly_fields = ["name", "about"]

    @admin.display(description="value", ordering="value")
    def number(self, obj: Limit) -> str:
        return f"{_plain(obj.value):,f}"

    def save_model(
        self, request: HttpRequest, obj: Limit, form: LimitModelForm, change: bool
    ) -> None:
        actor = str(request.user)
        set_limit(name=LimitName(obj.name), value=obj.value, actor=actor, now=timezone.now())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_admin(request) and (obj is None or obj.name in set(LimitName))


def _plain(value: Any) -> Any:
    """Write a number without the zeros that the column adds."""
    return value if not isinstance(value, Decimal) else Decimal(f"{value.normalize():f}")


def _is_admin(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and (user.is_superuser or user.role == Role.ADMIN)
