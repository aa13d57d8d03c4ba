"""The forms with which somebody says and proves who he is."""

from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField

LONGEST_PASSWORD = 500
# A passkey's answer, a big key and its certificates among it.
LONGEST_ANSWER = 32_768


class SignInForm(forms.Form):
    """Name and password."""

    username = UsernameField(
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SecondForm(forms.Form):
    """A code, or what a passkey answered; the script writes that into its field."""

    code = forms.CharField(
        label="Code",
        required=False,
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}
        ),
    )
    passkey = forms.CharField(
        required=False, max_length=LONGEST_ANSWER, strip=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, has_app: bool, has_codes: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = [
            *(["of six digits from your app"] if has_app else []),
            *(["from your paper"] if has_codes else []),
        ]
        self.fields["code"].help_text = f"A code {', or one '.join(kinds)}."
        if not kinds:
            self.fields["code"].widget = forms.HiddenInput()
        elif not has_app:
            self.fields["code"].label = "Recovery code"


class ProofForm(SecondForm):
    """The password once more, and the second factor of who has one."""

    password = forms.CharField(
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ("password", "code", "passkey")

    def __init__(self, *args: Any, **options: Any) -> None:
        # Beside a form of the page below the dialog, which may have a password, too.
        super().__init__(*args, auto_id="proof_%s", **options)


class CodeForm(forms.Form):
    """The code that confirms an app that is being set up."""

    code = forms.CharField(
        label="Code that the app shows now",
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyForm(forms.Form):
    """A new passkey's name, and what the browser made."""

    name = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Key on my ring"}),
    )
    passkey = forms.CharField(
        required=False, max_length=LONGEST_ANSWER, strip=False, widget=forms.HiddenInput
    )


class PasskeyNameForm(forms.Form):
    """Another name for a passkey."""

    name = forms.CharField(max_length=60)
