"""The record for people: a page with filters, and files of what it shows."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, may_trade, signed_in
from accounts.services.audit import event
from accounts.services.audit import record as write
from orders.forms.record import RecordForm
from orders.selectors.record import COLUMNS, PAGE_ROWS, kinds, list_record, read_record
from orders.views.frame import frame
from orders.views.tables import CSV, csv_text, streamed


@require_safe
@signed_in
def record(request: DeskRequest) -> HttpResponse:
    """Show a page of the record, newest first."""
    form = _form(request)
    rows = list_record(form.filters()) if form.is_valid() else []
    query = request.GET.copy()
    query.pop("before", None)
    shown = {
        "form": form,
        "rows": rows,
        "query": query.urlencode(),
        "before": rows[-1]["id"] if len(rows) == PAGE_ROWS else None,
    }
    return render(request, "orders/record.html", {**frame(request), **shown})


@require_safe
@signed_in
@may_trade
def record_file(request: DeskRequest, kind: str) -> HttpResponseBase:
    """Write what the filters let through as a file, oldest first; that is recorded, too."""
    form = _form(request)
    if not form.is_valid():
        messages.error(request, "The filters are not right: nothing was exported.")
        return redirect("record")
    asked = {name: str(value) for name, value in form.cleaned_data.items() if value}
    actor = request.user.get_username()
    write([event("record", "exported", at=timezone.now(), new=kind, actor=actor, data=asked)])
    rows = read_record(form.filters())
    pieces = _table(rows) if kind == "csv" else _lines(rows)
    content_type = CSV if kind == "csv" else "application/jsonl"
    return streamed(request, pieces, name=f"record.{kind}", content_type=content_type)


def _form(request: DeskRequest) -> RecordForm:
    return RecordForm(request.GET.dict(), kinds=kinds())


def _table(parts: Iterator[Sequence[dict[str, Any]]]) -> Iterator[str]:
    yield csv_text([COLUMNS])
    for rows in parts:
        yield csv_text([[_flat(row[name]) for name in COLUMNS] for row in rows])


def _lines(parts: Iterator[Sequence[dict[str, Any]]]) -> Iterator[str]:
    for rows in parts:
        yield "".join(_line(row) for row in rows)


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, cls=DjangoJSONEncoder, separators=(",", ":")) + "\n"


def _flat(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value
