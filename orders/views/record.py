"""The record for people: a page with filters, and files of what it shows."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, StreamingHttpResponse
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
from orders.views.tables import csv_answer


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
    if kind == "csv":
        table = ([_flat(row[name]) for name in COLUMNS] for row in rows)
        return csv_answer("record", COLUMNS, table, now=timezone.now())
    return StreamingHttpResponse(
        _lines(rows),
        content_type="application/jsonl",
        headers={"Content-Disposition": 'attachment; filename="tradeswim-record.jsonl"'},
    )


def _form(request: DeskRequest) -> RecordForm:
    return RecordForm(request.GET.dict(), kinds=kinds())


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, cls=DjangoJSONEncoder, separators=(",", ":")) + "\n"


def _flat(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value
