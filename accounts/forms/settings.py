"""What a user sets for himself."""

from django import forms

from accounts.domain.words import Density


class SettingsForm(forms.Form):
    """How the desk looks and answers; `one_click_exit` only for who may exit."""

    density = forms.ChoiceField(
        label="Rows and controls",
        choices=[(Density.COMPACT.value, "Compact"), (Density.ROOMY.value, "Roomy")],
        widget=forms.RadioSelect,
    )
    single_keys = forms.BooleanField(
        label="Single letters are keys",
        help_text="N opens a new order, G then H the history, and so on; ? lists them all. "
        "Switched off, only Tab, arrows, Enter and Escape act.",
        required=False,
    )
    one_click_exit = forms.BooleanField(
        label="EXIT with one click",
        help_text="Skips the confirmation: the exit is dispatched after 3 seconds in which you can "
        "undo it. Off unless you are sure.",
        required=False,
    )

    def __init__(self, *args: object, may_exit: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not may_exit:
            del self.fields["one_click_exit"]
