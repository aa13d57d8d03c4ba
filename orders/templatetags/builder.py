"""Write the small numbers of a ticket."""

from decimal import Decimal

from django import template

from orders.templatetags.desk import MINUS, NOTHING

register = template.Library()


@register.filter
def hundredths(value: Decimal | None) -> str:
    """Write a delta: `−0.16`."""
    return NOTHING if value is None else f"{value:.2f}".replace("-", MINUS)


@register.filter
def percent(value: Decimal | None) -> str:
    """Write a share of one in percent: `71.4 %`."""
    return NOTHING if value is None else f"{value * 100:.1f} %"


@register.filter
def negated(value: Decimal) -> Decimal:
    """Turn the sign of an amount: what is tied up is shown as taken away."""
    return -value if value else value
