"""The filters of the history of broadcasts, as its address says them.

Plain Django fields: a filter here is words that a selector takes, so django-filter would only bind
them to a model again, untyped, and be one more dependency.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from django import forms

from orders.domain.lifecycle import ParentStatus, Purpose, Status
from orders.selectors.desk_facts import Kind
from orders.selectors.history import (
    LONGEST_TEXT,
    NEWEST_FIRST,
    SORTS,
    HistoryWish,
)
from orders.selectors.history_query import HistoryFilters
from orders.templatetags.desk import status_words, words
from strategies.domain.tickets import Strategy

_SOME = "SOME_"
_SOME_STATUSES = (
    Status.WORKING,
    Status.UNKNOWN,
    Status.REJECTED,
    Status.FAILED_TO_PLACE,
    Status.CANCELED,
    Status.EXPIRED,
    Status.REPLACED,
    Status.SKIPPED,
)
_STATUSES = [
    ("", "Any status"),
    ("Overall", [(one.value, status_words(one)) for one in ParentStatus]),
    ("In some account", [(_SOME + one, status_words(one)) for one in _SOME_STATUSES]),
]
_STRATEGIES = [("", "Any strategy"), *((one.value, words(one)) for one in Strategy)]
_KINDS = [("", "All kinds"), (Kind.OPTIONS.value, "Options"), (Kind.STOCKS.value, "Stocks")]
_PURPOSES = [("", "In and out"), (Purpose.OPEN.value, "Entries"), (Purpose.CLOSE.value, "Exits")]

BAD_DAY = "This is no day. Write it as 2026-11-28; until then every day is shown."
BAD_CHOICE = "There is no such choice; until another is made all are shown."
BACKWARDS = "This is before the first day, so nothing can be found. Choose a later one."


class _Day(forms.DateField):
    """A day in New York."""

    widget = forms.DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d")

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False, input_formats=["%Y-%m-%d"])
        self.error_messages["invalid"] = BAD_DAY


class _Choice(forms.ChoiceField):
    widget = forms.Select(attrs={"class": "input"})

    def __init__(self, label: str, choices: list[Any]) -> None:
        super().__init__(label=label, required=False, choices=choices)
        self.error_messages["invalid_choice"] = BAD_CHOICE


class HistoryForm(forms.Form):
    """What of the history is wanted; what is said wrongly is named, and does not narrow it."""

    since = _Day("From, in New York")
    until = _Day("To, in New York")
    status = _Choice("Status", _STATUSES)
    strategy = _Choice("Strategy", _STRATEGIES)
    kind = _Choice("Options or stocks", _KINDS)
    purpose = _Choice("Entries or exits", _PURPOSES)
    q = forms.CharField(
        label="Symbol, # or account",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "class": "input",
                "placeholder": "Symbol, # or account  /",
                "spellcheck": "false",
                "data-key": "/",
                "data-key-words": "Filter the history",
            }
        ),
    )

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given, auto_id="history-%s")
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"history-{name}-error"
        self.given = given
        self.full_clean()

    def clean(self) -> None:
        """Refuse a span of days that ends before it begins."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", BACKWARDS)

    @property
    def is_narrow(self) -> bool:
        """Whether something may be hidden by it."""
        return any(self.given.get(name, "").strip() for name in self.fields)

    @property
    def wish(self) -> HistoryWish:
        """What is asked for, with everything that was typed kept for the address."""
        sort = self.given.get("sort", "")
        return HistoryWish(
            filters=self._filters(),
            given={name: self.given.get(name, "").strip() for name in self.fields},
            sort=sort if sort.removeprefix("-") in SORTS else NEWEST_FIRST,
            page=max(_number(self.given.get("page", "")) or 1, 1),
            upto=_number(self.given.get("upto", "")),
            since_id=_number(self.given.get("since_id", "")),
        )

    def _filters(self) -> HistoryFilters:
        status = self._said("status")
        is_some = status.startswith(_SOME)
        return HistoryFilters(
            since=cast("date | None", self.cleaned_data.get("since")),
            until=cast("date | None", self.cleaned_data.get("until")),
            overall=ParentStatus(status) if status and not is_some else None,
            some=Status(status.removeprefix(_SOME)) if is_some else None,
            strategy=Strategy(self._said("strategy")) if self._said("strategy") else None,
            kind=Kind(self._said("kind")) if self._said("kind") else None,
            purpose=Purpose(self._said("purpose")) if self._said("purpose") else None,
            text=self._said("q"),
        )

    def _said(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
