"""Write the figures of the frame: whole dollars, and ages that the page counts on."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.templatetags.desk import et_time, money

register = template.Library()

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400


@register.filter
def dollars(value: Decimal | None) -> str:
    """Write whole dollars: `$1,284,310`."""
    if value is None:
        return money(None)
    return money(value.quantize(Decimal(1), ROUND_HALF_EVEN)).removesuffix(".00")


@register.simple_tag
def since(at: datetime, beat: str = "") -> SafeString:
    """Show an age (`4s`, `3m`); the page counts on, and begins again when the beat has run."""
    seconds = (timezone.now() - at).total_seconds()
    return format_html(
        '<time class="num" datetime="{}" data-count="age"{}>{}</time>',
        at.isoformat(),
        format_html(' data-beat="{}"', beat) if beat else "",
        age_words(seconds),
    )


@register.simple_tag
def clock() -> SafeString:
    """Show the time in New York; the page lets it tick, by the server's clock."""
    now = timezone.now()
    return format_html(
        '<time class="clock num" data-clock datetime="{}" title="Time in New York">{}</time>',
        now.isoformat(),
        et_time(now),
    )


def age_words(seconds: float) -> str:
    """Write an age in one unit: `0s`, `59s`, `3m`, `2h`, `4d`."""
    whole = max(int(seconds), 0)
    for unit, size in (("d", DAY_S), ("h", HOUR_S), ("m", MINUTE_S)):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"
