"""The forms of logins. Secrets are written, never shown: an empty field leaves what is stored."""

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pyotp
from django import forms

from accounts.models import BrokerLogin
from accounts.services.logins import SECRETS

STORED = "Stored. Leave it empty to keep it."
NOT_STORED = "Not stored."
MOST_ROWS = 500
COLUMNS = ("label", "app_key", "app_secret", "callback_url")
OPTIONAL = ("user_name", "password", "totp_secret")
LONGEST_CALLBACK = 255


def _secret(label: str, *, is_shown: bool = False, help_text: str = "") -> forms.CharField:
    """Return a field for a secret; its widget never renders a value."""
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    kind = forms.TextInput if is_shown else forms.PasswordInput
    widget = kind(attrs=attrs)
    return forms.CharField(
        label=label, required=False, max_length=200, help_text=help_text, widget=widget
    )


class LoginForm(forms.Form):
    """Takes a login's label, its app and, if wanted, what its user signs in with.

    Args:
        login: the one to change; None for a new one.
        callback: what is usual for the callback address.
    """

    label = forms.CharField(max_length=80, help_text="How you call it: a person's name, say.")
    app_key = _secret("App key")
    app_secret = _secret("App secret")
    callback_url = forms.CharField(
        label="Callback address",
        max_length=LONGEST_CALLBACK,
        help_text="Exactly as it is registered for the app at the broker, slash and port included.",
    )
    user_name = _secret("User name")
    password = _secret("Password")
    totp_secret = _secret("TOTP secret")
    forget = forms.BooleanField(
        label="Forget user name, password and TOTP secret",
        required=False,
    )

    def __init__(
        self, *args: Any, login: BrokerLogin | None, callback: str = "", **options: Any
    ) -> None:
        super().__init__(*args, **options)
        known = {"label": login.label, "callback_url": login.callback_url} if login else {}
        self.initial = {**self.initial, "callback_url": callback, **known}
        self.login = login
        for name in SECRETS:
            is_stored = login is not None and getattr(login, name) is not None
            self.fields[name].help_text = STORED if is_stored else NOT_STORED
        if login is None:
            del self.fields["forget"]
            for name in COLUMNS:
                self.fields[name].required = True
            for name in SECRETS:
                self.fields[name].help_text = "" if name in COLUMNS else "Only for renewals."

    def clean_callback_url(self) -> str:
        return check_callback(self.cleaned_data["callback_url"])

    def clean_totp_secret(self) -> str:
        return check_totp(self.cleaned_data["totp_secret"])

    def values(self) -> dict[str, str | None]:
        """Return what is to be written, by name."""
        typed = self.cleaned_data
        values: dict[str, str | None] = {
            name: typed[name] for name in ("label", "callback_url") if typed[name]
        }
        values |= {name: typed[name] for name in SECRETS if typed[name]}
        if typed.get("forget"):
            values |= dict.fromkeys(OPTIONAL)
        return values


class PasteForm(forms.Form):
    """Takes the address that a browser was sent back to."""

    address = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="The whole line from the browser's address bar, even if the page did not open.",
    )


class ImportForm(forms.Form):
    """Takes logins as CSV, all or none."""

    text = forms.CharField(
        label="Logins as CSV",
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 10, "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"First line: {','.join((*COLUMNS, *OPTIONAL))}; the last three may be left out.",
    )

    def clean_text(self) -> list[dict[str, str]]:
        """Return one row per login; every mistake is named with its line."""
        rows = csv.DictReader(io.StringIO(self.cleaned_data["text"].strip()), strict=True)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise forms.ValidationError(f"The first line names no {', '.join(missing)}.")
        try:
            found = [{k: (v or "").strip() for k, v in row.items() if k} for row in rows]
        except csv.Error as error:
            raise forms.ValidationError(f"Line {rows.line_num}: {error}.") from None
        wrong = [words for line, row in enumerate(found, 2) if (words := _wrong(line, row))]
        labels = [row["label"] for row in found]
        wrong += [
            f"The label {one} comes twice." for one in {x for x in labels if labels.count(x) > 1}
        ]
        known = BrokerLogin.objects.filter(label__in=labels).values_list("label", flat=True)
        wrong += [f"There is a login {one} already." for one in known]
        if not found or len(found) > MOST_ROWS:
            wrong.append(f"Between 1 and {MOST_ROWS} logins at a time.")
        if wrong:
            raise forms.ValidationError(wrong)
        return found


def check_callback(value: str) -> str:
    """Return an address that a broker can send a browser to. Errors: ValidationError."""
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in {"https", "http"} and bool(parts.hostname) and not parts.fragment
    except ValueError:
        is_good = False
    if not is_good or (parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost"}):
        raise forms.ValidationError("Write it as https://host/path, as it is registered.")
    return value


def check_totp(value: str) -> str:
    """Return a TOTP secret without its spaces. Errors: ValidationError."""
    secret = value.replace(" ", "").upper()
    if secret:
        try:
            pyotp.TOTP(secret).now()
        except ValueError:
            raise forms.ValidationError(
                "Not a TOTP secret: 23 or more letters A to Z and digits 2 to 7, as shown."
            ) from None
    return secret


def _wrong(line: int, row: Mapping[str, str]) -> str:
    """Say what is wrong with a row, without its values."""
    empty = [name for name in COLUMNS if not row.get(name)]
    if empty:
        return f"Line {line}: no {', '.join(empty)}."
    try:
        check_callback(row["callback_url"])
        check_totp(row.get("totp_secret", ""))
    except forms.ValidationError as error:
        return f"Line {line}: {' '.join(error.messages)}"
    return ""
