"""What an admin fills in to make a hook or a receiver, and what he may do to one."""

from django import forms

from accounts.domain.happenings import Kind
from accounts.domain.words import Role
from accounts.models import User

ACTS = {
    "enable": "Switch on",
    "disable": "Switch off",
    "secret": "New secret",
    "remove": "Remove",
}


class HookForm(forms.Form):
    """A hook's name, and whose saved orders it places."""

    prefix = "hook"
    name = forms.CharField(label="Name", max_length=60)
    agent = forms.ModelChoiceField(
        label="Agent", queryset=User.objects.none(), empty_label="choose…"
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        traders = User.objects.filter(is_active=True, role__in=[Role.AGENT, Role.ADMIN])
        self.fields["agent"].queryset = traders.order_by("username")  # type: ignore[attr-defined]


class ReceiverForm(forms.Form):
    """A receiver's name and address, and what it is told."""

    prefix = "receiver"
    name = forms.CharField(label="Name", max_length=60)
    url = forms.CharField(
        label="Address",
        max_length=300,
        help_text="https://… on a host that TRADESWIM_WEBHOOKS_TO names.",
    )
    kinds = forms.MultipleChoiceField(
        label="Told of",
        help_text="Nothing ticked is everything.",
        choices=[(one.value, one.value) for one in Kind if one is not Kind.TEST],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def clean_kinds(self) -> list[Kind]:
        """Return the kinds themselves."""
        return [Kind(one) for one in self.cleaned_data["kinds"]]


class ActForm(forms.Form):
    """What is to be done to a hook or a receiver."""

    act = forms.ChoiceField(choices=list(ACTS.items()))
