"""The filters of the record."""

from typing import Any

from django import forms

from orders.selectors.record import RecordFilters

_DAY = forms.DateInput(attrs={"type": "date"})


def _words(placeholder: str, key: str = "") -> forms.TextInput:
    attrs = {"placeholder": placeholder, "data-key-words": "Filter the record"}
    return forms.TextInput(attrs=attrs | ({"data-key": key} if key else {}))


class RecordForm(forms.Form):
    """Takes what the record is narrowed to; what is wrong in it narrows nothing and is told.

    Args:
        kinds: those to choose from.
    """

    since = forms.DateField(label="From", required=False, widget=_DAY)
    until = forms.DateField(label="To", required=False, widget=_DAY)
    kind = forms.ChoiceField(label="Kind", required=False)
    actor = forms.CharField(label="Who", required=False, max_length=80, widget=_words("Who"))
    text = forms.CharField(
        label="Text", required=False, max_length=80, widget=_words("About, why, request  /", "/")
    )
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, kinds: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["kind"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "Any kind"), *((kind, kind) for kind in kinds)]

    def filters(self) -> RecordFilters:
        """Return the filters; call it after `is_valid`."""
        typed = self.cleaned_data
        return RecordFilters(**{name: typed[name] for name in typed if typed[name]})
