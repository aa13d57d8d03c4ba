"""Draw the rows of a list once: from one version of it to the next most stay as they are."""

from functools import lru_cache

from django import template
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from orders.selectors.desk import DeskRow

register = template.Library()


@register.simple_tag(takes_context=True)
def drawn(context: RequestContext, name: str, row: DeskRow) -> SafeString:
    """Show a row by its template, which is given nothing else than rights that differ by role."""
    draw = _draw if row.is_counting else _drawn
    return draw(name, row, context["may_trade"], context["may_exit"])


def _draw(name: str, row: DeskRow, may_trade: bool, may_exit: bool) -> SafeString:
    shown = {"row": row, "may_trade": may_trade, "may_exit": may_exit}
    return render_to_string(name, shown)


_drawn = lru_cache(maxsize=512)(_draw)
