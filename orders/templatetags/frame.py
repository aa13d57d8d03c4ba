"""Write the figures of the frame: whole dollars, and ages that the page counts on."""

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.services.beat_runs import LATE_AFTER, PERIODS_S, BeatAge
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
def beat_age(age: BeatAge) -> SafeString:
    """Show how long ago a beat did its work; the page begins again when it has run."""
    if age.age_s is None:
        return format_html('<b class="num">{}</b>', age.words)
    at = timezone.now() - timedelta(seconds=age.age_s)
    return format_html(
        '<time class="num" datetime="{}" data-count="age" data-beat="{}" data-late="{}">{}</time>',
        at.isoformat(),
        age.beat,
        LATE_AFTER * PERIODS_S[age.beat],
        age_words(age.age_s),
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
