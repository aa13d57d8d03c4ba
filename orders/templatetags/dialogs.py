"""Write forms that are sent from the page's dialog, or from a page of their own."""

from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_htmx.middleware import HtmxDetails

from accounts.services.proving import fresh_until

register = template.Library()


@register.simple_tag(takes_context=True)
def dialog_form(context: Context, address: str) -> SafeString:
    """Return a form's attributes: in the dialog its answer is shown there, too."""
    written = format_html('method="post" action="{}" autocomplete="off"', address)
    if not is_in_dialog(context):
        return written
    return written + format_html(
        ' hx-post="{}" hx-target="#modal" hx-swap="innerHTML" hx-disable="findAll [type=submit]"',
        address,
    )


@register.simple_tag(takes_context=True)
def needs_proof(context: Context) -> SafeString:
    """Return an attribute for what needs a fresh proof: an open page asks for one by itself."""
    return format_html('data-prove-after="{}"', fresh_until(context["request"].session))


@register.simple_tag(takes_context=True)
def is_in_dialog(context: Context) -> bool:
    """Tell whether what is rendered goes into the dialog of an open page."""
    request: Any = context.get("request")
    return bool(request and asks_for_dialog(request.htmx))


def asks_for_dialog(htmx: HtmxDetails) -> bool:
    """Tell whether an answer goes into the dialog of an open page."""
    return bool(htmx) and (htmx.target or "").endswith("#modal")
