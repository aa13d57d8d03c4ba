"""Users and account groups in the administration."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.rows import AnyModelForm, Rows
from accounts.admin.site import administration
from accounts.domain.words import Role
from accounts.models import AccountGroup, User
from accounts.selectors import our_accounts
from accounts.services.editing import MayNotEdit, NoSuchAccount, set_members
from accounts.services.users import (
    BadPassword,
    LastAdmin,
    NameTaken,
    change_user,
    create_user,
    replace_password,
    why_no_password,
)

if TYPE_CHECKING:  # Django's own class takes no parameter
    UserCreationForm = BaseUserCreationForm[User]
else:
    UserCreationForm = BaseUserCreationForm


class NewUserForm(UserCreationForm):
    """A name, a role, and a password that the validators take; there is no default."""

    class Meta:
        model = User
        fields = ("username", "role")


class UserForm(AnyModelForm):
    """Role and switch, and another password where one is given."""

    new_password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave it empty to keep the password. Another one ends all his sessions.",
    )
    password_again = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["role", "is_active"]

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        password = typed.get("new_password", "")
        if password != typed.get("password_again", ""):
            raise ValidationError({"password_again": "The two passwords are not the same."})
        if password and (words := why_no_password(password, self.instance)):
            raise ValidationError({"new_password": words})
        return typed


@admin.register(User, site=administration)
class UserAdmin(Rows):
    """Users are made and switched off, never removed: the record names them."""

    refusals = (LastAdmin, NameTaken, BadPassword)
    list_display = ["username", "role", "is_active", "last_login", "date_joined"]
    list_filter = ["role", "is_active"]
    search_fields = ["username"]
    ordering = ["username"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["username", "role", "password1", "password2"]
        seen = ["username", "role", "is_active", "last_login", "date_joined"]
        return [*seen, "new_password", "password_again"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if obj is None else ["username", "last_login", "date_joined"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = NewUserForm if obj is None else UserForm
        return super().get_form(request, obj, change, form=form, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, now, typed = str(request.user), timezone.now(), form.cleaned_data
        role = Role(typed["role"])
        if not change:
            password = typed["password1"]
            made = create_user(
                name=obj.username, role=role, password=password, actor=actor, now=now
            )
            obj.pk = made.pk
            return
        change_user(user_id=obj.pk, role=role, is_active=typed["is_active"], actor=actor, now=now)
        if password := typed["new_password"]:
            replace_password(user_id=obj.pk, password=password, actor=actor, now=now)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return administration.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administration.has_permission(request)


@admin.register(AccountGroup, site=administration)
class AccountGroupAdmin(Rows):
    """Groups keep their names: modes are set by them."""

    refusals = (MayNotEdit, NoSuchAccount)
    list_display = ["name", "size"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = ["name", "members"]
    filter_horizontal = ["members"]

    @admin.display(description="accounts")
    def size(self, obj: AccountGroup) -> int:
        return obj.members.count()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if obj is None else ["name"]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, queryset=our_accounts(), **kwargs
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = set_members(
            name=obj.name,
            account_ids=[account.pk for account in form.cleaned_data["members"]],
            actor=str(request.user),
            now=timezone.now(),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return administration.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return administration.has_permission(request)
