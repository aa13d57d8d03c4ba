"""Write gains, tokens and modes of accounts, and draw what accounts were worth over time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.domain.modes import ModeRule
from accounts.domain.words import LoginStatus, Mode
from orders.domain.plots import MINUS, Scale, nice_ticks, place, points, short
from orders.selectors.account_grid import GridLine
from orders.templatetags.desk import NOTHING, money, price
from strategies.domain.new_york import EASTERN

register = template.Library()

Point = tuple[datetime, Decimal]

UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
SPARK_WIDTH, SPARK_HEIGHT = 120, 24
PLOT_WIDTH, PLOT_HEIGHT = 760, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 8, 18
_LONG = 3 * 24 * 3600


@register.filter
def gain(value: Decimal | None) -> SafeString:
    """Write what was gained, with arrow, sign and colour: `▲ +132.55`, `▼ −84.10`, `0.00`."""
    if value is None:
        return SafeString(NOTHING)
    if not value:
        return SafeString("0.00")
    kind, arrow, sign = ("pos", UP, "+") if value > 0 else ("neg", DOWN, MINUS)
    return format_html('<span class="{}">{} {}{}</span>', kind, arrow, sign, price(abs(value)))


# Written here, for a page has a hundred of them: a template's indents would double their weight.
_TICK = (
    '<td class="pick"><input type="checkbox" form="act" name="account" value="{0}" data-login="{2}"'
    ' aria-label="Tick {1}" data-row-key="t"{3}></td>'
)
_SWITCH = (
    '<td><button class="sw" role="switch" aria-checked="{3}" aria-label="{1} in broadcasts"'
    ' form="act" formaction="{2}" hx-post="{2}" hx-swap="none"></button></td>'
)
_ACTS = (
    '<a class="btn btn-small" href="{2}" hx-get="{2}" hx-target="#modal" data-open'
    ' aria-label="Edit {1}">Edit</a> <button class="btn btn-small" form="act" formaction="{3}"'
    ' hx-post="{3}" hx-swap="none" aria-label="Refresh {1}" title="Read its balances: 1 call">'
    "\N{CLOCKWISE OPEN CIRCLE ARROW}</button>"
)


@register.simple_tag
def account_switch(line: GridLine, is_first: bool = False) -> SafeString:
    """Write the cells that tick an account and that switch it at once; the first names the key."""
    to = "off" if line.is_active else "on"
    address = f"{reverse('accounts-switch')}?to={to}&only={line.id}"
    is_on = "true" if line.is_active else "false"
    words = SafeString(' data-key-words="Tick the account"') if is_first else ""
    tick = format_html(_TICK, line.id, line.alias, line.login, words)
    return tick + format_html(_SWITCH, line.id, line.alias, address, is_on)


@register.simple_tag
def account_acts(line: GridLine) -> SafeString:
    """Write the link that opens an account's dialog, and the button that reads its balances."""
    edit = reverse("account-edit", args=[line.id])
    address = f"{reverse('accounts-refresh')}?only={line.id}"
    return format_html(_ACTS, line.id, line.alias, edit, address)


@register.simple_tag
def ago(at: datetime) -> SafeString:
    """Show how old something is (`4s`, `3m`, `2h`); the page counts on, with the server's clock."""
    seconds = max(int((timezone.now() - at).total_seconds()), 0)
    piece = '<time datetime="{}" data-count="age">{}</time>'
    return format_html(piece, f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", _age(seconds))


@register.simple_tag
def synced(line: GridLine) -> SafeString:
    """Show how old the balances of an account are."""
    if line.balances_at is None:
        return SafeString('<span class="muted">never</span>')
    return ago(line.balances_at)


@register.simple_tag
def token_state(line: GridLine) -> SafeString:
    """Show how many minutes its access token lives, or that somebody must sign in."""
    if not line.is_connected:
        words = line.login_words or "Its login must be connected again."
        said = "Error" if line.login_status == LoginStatus.ERROR else "Sign in again"
        return _tag("failed", said, words)
    if line.login_status == LoginStatus.EXPIRING and line.connection_ends_at is not None:
        ends = f"{line.connection_ends_at.astimezone(EASTERN):%a %H:%M}"
        return _tag("expired", f"Sign in by {ends}", "The login ends then; nothing renews it.")
    if not line.access_minutes:
        return _tag("queued", "Renewing", "Its token has ended; another one is being fetched.")
    return _tag("filled", f"{line.access_minutes} min")


@register.simple_tag
def account_mode(rule: ModeRule | None) -> SafeString:
    """Show the mode in force for an account, with why; nothing while it is open."""
    if rule is None:
        return SafeString("")
    glyph, words = ("failed", "Frozen") if rule.mode == Mode.FROZEN else ("partial", "Close only")
    return _tag(glyph, words, rule.words)


def _tag(glyph: str, words: str, title: str = "") -> SafeString:
    said = format_html(' title="{}"', title) if title else ""
    piece = '<span class="tag tag-{}"{}><i class="st st-{}"></i>{}</span>'
    return format_html(piece, glyph, said, glyph, words)


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


@register.simple_tag
def sparkline(found: Sequence[Point]) -> SafeString:
    """Draw a line without axes; read out as where it began and ended. Nothing for one point."""
    if len(found) < 2:
        return SafeString("")
    x, y = _scales(found, (1, SPARK_WIDTH - 1), (SPARK_HEIGHT - 2, 2))
    return format_html(
        '<svg class="chart spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline class="line" points="{}"/></svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        _sentence(found),
        points([(x(at.timestamp()), y(value)) for at, value in found]),
    )


@register.simple_tag
def worth_plot(found: Sequence[Point]) -> SafeString:
    """Draw what something was worth over time, with dollars and times at the axes."""
    if len(found) < 2:
        return SafeString('<p class="muted">There is no history of this time yet.</p>')
    x, y = _scales(found, (_LEFT, PLOT_WIDTH - _RIGHT), (PLOT_HEIGHT - _BOTTOM, _TOP))
    parts = [*_dollars(y), *_times(found, x)]
    line = points([(x(at.timestamp()), y(value)) for at, value in found])
    parts.append(f'<polyline class="line" points="{line}"/>')
    return format_html(
        '<svg class="chart worth" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        PLOT_WIDTH,
        PLOT_HEIGHT,
        _sentence(found),
        mark_safe("".join(parts)),  # noqa: S308 - numbers and our own words
    )


def _scales(
    found: Sequence[Point], across: tuple[float, float], up: tuple[float, float]
) -> tuple[Scale, Scale]:
    x = Scale.over([at.timestamp() for at, _ in found], start=across[0], end=across[1])
    return x, Scale.over([value for _, value in found], start=up[0], end=up[1])


def _dollars(y: Scale) -> list[str]:
    end = PLOT_WIDTH - _RIGHT
    return [
        f'<path class="rule" d="M{_LEFT} {place(y(tick))}H{end}"/>'
        f'<text x="{_LEFT - 4}" y="{place(y(tick) + 3)}" text-anchor="end">{short(tick)}</text>'
        for tick in nice_ticks(y.low, y.high, most=4)
    ]


def _times(found: Sequence[Point], x: Scale) -> list[str]:
    """Write the first, middle and last time: a clock within days, dates beyond."""
    first, last = found[0][0], found[-1][0]
    form = "%b %d" if (last - first).total_seconds() > _LONG else "%b %d %H:%M"
    middle = first + (last - first) / 2
    anchors = ((first, "start"), (middle, "middle"), (last, "end"))
    return [
        f'<text x="{place(x(at.timestamp()))}" y="{PLOT_HEIGHT - 4}" text-anchor="{anchor}">'
        f"{at.astimezone(EASTERN):{form}}</text>"
        for at, anchor in anchors
    ]


def _sentence(found: Sequence[Point]) -> str:
    (since, first), (_, last) = found[0], found[-1]
    began = f"{since.astimezone(EASTERN):%b %d %H:%M} ET"
    return f"From {money(first)} on {began} to {money(last)}"
