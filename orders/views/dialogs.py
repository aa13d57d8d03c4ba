"""Questions in the dialog of an open page, or on a page of their own without JavaScript."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.decorators import DeskRequest
from orders.templatetags.dialogs import asks_for_dialog
from orders.views.frame import frame
from orders.views.page_events import CHANGED, CLOSE, with_events


def ask(
    request: DeskRequest, template: str, shown: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Show a dialog; `back` among what is shown is where the page leads without an answer."""
    if request.htmx:
        return render(request, template, shown, status=status)
    whole = {**frame(request), **shown, "dialog": template}
    return render(request, "orders/dialog.html", whole, status=status)


def is_in_dialog(request: DeskRequest) -> bool:
    """Tell whether the answer goes into the dialog of an open page."""
    return asks_for_dialog(request.htmx)


def tell(
    request: DeskRequest, words: str, *, to: str, level: int = messages.SUCCESS
) -> HttpResponse:
    """Say what became of a click: on the open page, or on the page that comes next.

    Args:
        to: the address of that page.
    """
    messages.add_message(request, level, words)
    return told(request) if is_in_dialog(request) else redirect(to)


def told(request: DeskRequest) -> HttpResponse:
    """Close the dialog of an open page, which shows what there is to tell and what changed."""
    return with_events(render(request, "orders/told.html"), CLOSE, CHANGED)
