"""What an agent types to change accounts: one of them, or the groups of several."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.http import QueryDict

from accounts.models import Account, AccountGroup

if TYPE_CHECKING:  # Django's own classes take no parameters
    ModelFormOfAccount = forms.ModelForm[Account]
else:
    ModelFormOfAccount = forms.ModelForm

LONGEST_GROUP = 60
NO_GROUP = "Choose a group, or name a new one."


class _GroupName(forms.CharField):
    """The name of a new group."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=LONGEST_GROUP, **options)

    def clean(self, value: Any) -> str:
        return " ".join(str(super().clean(value)).split())


class AccountForm(ModelFormOfAccount):
    """Alias, switch, multiplier and groups of an account; its place in every grid is fixed."""

    groups = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    new_group = _GroupName(help_text="Made if there is none of this name.")

    class Meta:
        model = Account
        fields = ["alias", "multiplier", "is_active"]
        labels = {"is_active": "In broadcasts and exits"}
        help_texts = {
            "multiplier": "0 to 100: how many times the contracts of a broadcast it gets.",
        }
        widgets = {
            "alias": forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
            "multiplier": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        }

    def __init__(
        self, typed: QueryDict | None, *, instance: Account, is_in: frozenset[str]
    ) -> None:
        super().__init__(typed, instance=instance, auto_id="account-%s")
        names = sorted({*AccountGroup.objects.values_list("name", flat=True), *is_in})
        field = cast("forms.ChoiceField", self.fields["groups"])
        field.choices = [(name, name) for name in names]
        self.initial["groups"] = sorted(is_in)
        self.initial["multiplier"] = f"{self.instance.multiplier.normalize():f}"

    def changes(self) -> dict[str, Any]:
        """Return what was typed, as the service takes it."""
        typed = self.cleaned_data
        new = [typed["new_group"]] if typed["new_group"] else []
        columns = {name: typed[name] for name in ("alias", "multiplier", "is_active")}
        return {**columns, "groups": sorted({*typed["groups"], *new})}


class GroupForm(forms.Form):
    """A group that accounts are taken into or out of."""

    name = forms.ChoiceField(required=False, label="Group")
    new_group = _GroupName(help_text="Made if there is none of this name.")
    is_in = forms.ChoiceField(
        label="What to do",
        choices=[("in", "Take into the group"), ("out", "Take out of it")],
        initial="in",
        widget=forms.RadioSelect,
    )

    def __init__(self, typed: QueryDict | None = None) -> None:
        super().__init__(typed, auto_id="group-%s")
        names = AccountGroup.objects.order_by("name").values_list("name", flat=True)
        field = cast("forms.ChoiceField", self.fields["name"])
        field.choices = [("", "a new one:"), *((name, name) for name in names)]

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if "new_group" in typed and not (typed.get("name") or typed["new_group"]):
            self.add_error("name", NO_GROUP)
        return typed

    def group(self) -> str:
        """Return the group that is meant; a name that was typed is."""
        return str(self.cleaned_data["new_group"] or self.cleaned_data["name"])
