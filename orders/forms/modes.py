"""The form that sets a trading mode."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from accounts.selectors import mode_targets
from accounts.selectors.modes import ModeInForce
from accounts.services.modes import LONGEST_WHY

UNDERLYING = f"{ModeScope.UNDERLYING}:"
MODES = [
    (Mode.FROZEN.value, "Frozen"),
    (Mode.CLOSE_ONLY.value, "Close only"),
    (Mode.OPEN.value, "Open"),
]


class ModeForm(forms.Form):
    """Takes what the mode is for, the mode, and why; a password where more is to be allowed.

    Args:
        in_force: what is set now; it can be opened even if its group or account is gone.
        may_loosen: without it, nothing can be opened.
    """

    what = forms.ChoiceField(label="For")
    underlying = forms.CharField(
        required=False,
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "SPX"}),
    )
    mode = forms.ChoiceField(choices=MODES, widget=forms.RadioSelect)
    why = forms.CharField(
        required=False,
        max_length=LONGEST_WHY,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Everybody sees it, and it is the reason of every order that is stopped.",
    )
    password = forms.CharField(
        label="Your password",
        required=False,
        max_length=500,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Only where more is to be allowed than now.",
    )

    def __init__(
        self, *args: Any, in_force: Sequence[ModeInForce], may_loosen: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        what, mode = (cast("forms.ChoiceField", self.fields[name]) for name in ("what", "mode"))
        what.choices = _targets(in_force)
        if not may_loosen:
            mode.choices = [one for one in MODES if one[0] != Mode.OPEN]
            del self.fields["password"]

    def wish(self) -> ModeRule:
        """Return what is asked for, once the form is valid."""
        typed = self.cleaned_data
        scope, _, target = typed["what"].partition(":")
        if scope == ModeScope.UNDERLYING:
            target = typed["underlying"]
        return ModeRule(ModeScope(scope), target, Mode(typed["mode"]), typed["why"])

    def refuse(self, field: str, words: str) -> None:
        """Show why the mode was not set, beside the field that says so."""
        if field == "target":
            is_typed = self.cleaned_data["what"] == UNDERLYING
            field = "underlying" if is_typed else "what"
        self.add_error(field if field in self.fields else None, words)


def asked_for(scope: str, target: str, mode: str) -> dict[str, str]:
    """Return what stands in the form at first, from the words of an address."""
    is_typed = scope == ModeScope.UNDERLYING
    return {
        "what": UNDERLYING if is_typed else f"{scope}:{target}",
        "underlying": target if is_typed else "",
        "mode": mode,
    }


def _targets(in_force: Sequence[ModeInForce]) -> list[Any]:
    """Return what a mode can be for, as choices in three heaps."""
    heaps: dict[ModeScope, dict[str, str]] = {ModeScope.GROUP: {}, ModeScope.ACCOUNT: {}}
    for scope, target, name in mode_targets():
        heaps[scope][f"{scope}:{target}"] = name
    for one in in_force:
        if (heap := heaps.get(one.rule.scope)) is not None:
            heap.setdefault(f"{one.rule.scope}:{one.rule.target}", one.name)
    return [
        (f"{ModeScope.FLEET}:", "The fleet"),
        (UNDERLYING, "An underlying"),
        *((f"{scope.capitalize()}s", list(heap.items())) for scope, heap in heaps.items() if heap),
    ]
