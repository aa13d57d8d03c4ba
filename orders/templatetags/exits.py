"""Write states of exits and positions the way the pages of sets show them."""

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.domain.exits import ExitState, Pricing
from orders.templatetags.desk import MINUS, Look
from orders.templatetags.frame import dollars
from strategies.domain.symbols import readable

register = template.Library()

# An account whose latest exit did what it was to do, or which the agent dealt with himself.
FLAT = Look("filled", "Flat")
HANDLED = Look("canceled", "Handled")
LOOKS: dict[str, Look] = {
    "": Look("queued", "Open"),
    ExitState.WAITING: Look("queued", "Waiting"),
    ExitState.CLOSING: Look("working", "Closing"),
    ExitState.PROVING: Look("working", "Proving"),
    ExitState.RESIDUAL: Look("unknown", "Left to you"),
    ExitState.DONE: Look("partial", "Closed in part"),
}
PRICED: dict[str, str] = {
    Pricing.LIMIT: "at the same limit",
    Pricing.MID: "at the mid",
    Pricing.NATURAL: "at the natural price",
    Pricing.MARKET: "at the market",
}


@register.simple_tag
def exit_state(state: str, *, is_flat: bool = False, is_handled: bool = False) -> SafeString:
    """Show how far an account's way out has come, as icon and words."""
    glyph, words = FLAT if is_flat else HANDLED if is_handled else LOOKS[state]
    piece = '<span class="tag tag-{}"><i class="st st-{}"></i>{}</span>'
    return format_html(piece, glyph, glyph, words)


@register.simple_tag
def position(symbol: str, quantity: int) -> SafeString:
    """Show a position: its coloured signed quantity, then its symbol for people."""
    side, sign = ("buy", "+") if quantity > 0 else ("sell", MINUS)
    piece = '<b class="{}">{}{}</b> {}'
    return format_html(piece, side, sign, abs(quantity), readable(symbol))


@register.filter
def priced(pricing: str) -> str:
    """Say how a closing order is priced: `at the mid`."""
    return PRICED[pricing]


@register.simple_tag
def gain(value: Decimal | None) -> SafeString:
    """Show a gain or loss behind a price: its sign, its arrow and its colour; nothing for None."""
    if value is None:
        return SafeString("")
    name, sign = ("pos", "▲ +") if value >= 0 else ("neg", "▼ ")
    return format_html(' <b class="{}">{}{}</b>', name, sign, dollars(value))
