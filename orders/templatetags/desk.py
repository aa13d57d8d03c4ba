"""Write statuses, legs, money and times the way the desk shows them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import NamedTuple, Protocol
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from orders.domain.lifecycle import ParentStatus, Status
from strategies.domain.legs import describe
from strategies.domain.new_york import EASTERN
from strategies.domain.tickets import Instruction, Leg

register = template.Library()

NOTHING = "—"
MINUS = "\N{MINUS SIGN}"
# An order of unknown outcome shows red from this age on.
LATE_S = 30


# An order that works, and whose cancel is on its way.
CANCELING = "CANCELING"


class Look(NamedTuple):
    """How a status is shown: the name of its icon, and its words."""

    glyph: str
    words: str


# In the order in which the summary of a grid counts them.
LOOKS: dict[str, Look] = {
    Status.FILLED: Look("filled", "Filled"),
    ParentStatus.PARTIAL: Look("partial", "Partly filled"),
    Status.WORKING: Look("working", "Working"),
    Status.READY: Look("queued", "Queued"),
    Status.SUBMITTING: Look("queued", "Sending"),
    ParentStatus.SENDING: Look("queued", "Sending"),
    Status.UNKNOWN: Look("unknown", "Unknown"),
    ParentStatus.NEEDS_AGENT: Look("unknown", "Needs agent"),
    Status.REJECTED: Look("rejected", "Rejected"),
    Status.FAILED_TO_PLACE: Look("failed", "Not placed"),
    Status.CANCELED: Look("canceled", "Canceled"),
    Status.REPLACED: Look("canceled", "Replaced"),
    CANCELING: Look("canceled", "Being canceled"),
    ParentStatus.CLOSED_OUT: Look("canceled", "Closed out"),
    Status.EXPIRED: Look("expired", "Expired"),
    Status.SKIPPED: Look("skipped", "Skipped"),
}

# An account that a broadcast did not go to keeps its place in the grid, empty and uncounted.
NOT_PART = ""
_GLYPHS = {look.words: look.glyph for look in LOOKS.values()}
# One constant piece per status: a page shows thousands of cells.
_CELLS = {status: f'<i class="st st-{look.glyph}"></i>' for status, look in LOOKS.items()}
_CELLS[NOT_PART] = '<i class="st st-none"></i>'
_CELLS[CANCELING] = '<i class="st st-canceled st-leaving"></i>'
# A grid of more accounts than this would be a picture of noise: a bar shows the shares.
MOST_CELLS = 200
# Beyond this the cells are small, so that a row keeps its height.
MANY_CELLS = 60
BETWEEN_TIPS = "|"


class LegLike(Protocol):
    """A leg of the domain, or a row that keeps one."""

    @property
    def symbol(self) -> str:
        """A ticker or an OCC symbol, as it goes on the wire."""

    @property
    def instruction(self) -> str:
        """One of the words of Instruction."""


class OptionLike(Protocol):
    """A row of a chain."""

    @property
    def bid(self) -> Decimal | None: ...

    @property
    def ask(self) -> Decimal | None: ...

    @property
    def delta(self) -> Decimal | None: ...


@register.filter
def status_words(status: str) -> str:
    """Say a status, of an account order or of a complex order, in words."""
    return LOOKS[status].words


@register.simple_tag
@lru_cache(maxsize=1024)
def status_glyph(status: str, filled: str = "") -> SafeString:
    """Show one status as icon and words, with what is filled (`31/45`) behind it if given."""
    glyph, words = LOOKS[status]
    count = format_html(' <span class="num">{}</span>', filled) if filled else ""
    return format_html(
        '<span class="tag tag-{}"><i class="st st-{}"></i>{}{}</span>', glyph, glyph, words, count
    )


@register.simple_tag
def status_grid(codes: Sequence[str], tips: Sequence[str] = ()) -> SafeString:
    """Show one icon per account, in account order, read out as counts: `41 filled, 3 working`.

    Args:
        codes: a status each, PARTIAL, CANCELING or NOT_PART.
        tips: the words of each for static/js/m/tips.js, which puts the account's name before them.
    """
    if len(codes) > MOST_CELLS:
        return status_bar(codes)
    icons = "".join([_CELLS[code] for code in codes])
    size = " sg-small" if len(codes) > MANY_CELLS else ""
    said = BETWEEN_TIPS.join([tip.replace(BETWEEN_TIPS, "/") for tip in tips])
    told = format_html(' data-tips="{}"', said) if tips else ""
    return format_html(
        '<span class="sg{}" role="img" aria-label="{}"{}>{}</span>',
        size,
        counts_words(codes),
        told,
        mark_safe(icons),  # noqa: S308 - constant pieces
    )


@register.simple_tag
def status_bar(codes: Sequence[str]) -> SafeString:
    """Show the shares of the statuses as one bar, with the counts beside it."""
    counts = _counts(codes)
    total, at, pieces = sum(counts.values()), 0, []
    for words, number in counts.items():
        piece = '<rect class="tag-{}" x="{}" width="{}" height="12"/>'
        pieces.append(format_html(piece, _GLYPHS[words], at, number))
        at += number
    return format_html(
        '<span class="status-bar" role="img" aria-label="{0}"><svg viewBox="0 0 {1} 12" '
        'preserveAspectRatio="none" aria-hidden="true">{2}</svg>{0}</span>',
        counts_words(codes),
        total or 1,
        mark_safe("".join(pieces)),  # noqa: S308 - each is escaped
    )


@register.filter(name="counts")
def counts_words(codes: Iterable[str]) -> str:
    """Say how many accounts stand where: `41 filled, 3 working, 1 rejected`."""
    said = [f"{number} {words.lower()}" for words, number in _counts(codes).items()]
    return ", ".join(said) or "no accounts"


def _counts(codes: Iterable[str]) -> dict[str, int]:
    """Count by words, in the order in which they are said."""
    counts = Counter(LOOKS[code].words for code in codes if code != NOT_PART)
    return {words: counts[words] for words in _GLYPHS if counts[words]}


@register.simple_tag
def leg(leg: LegLike) -> SafeString:
    """Show a leg: its coloured shorthand, then its symbol for people."""
    return _leg(leg.symbol, leg.instruction)


@lru_cache(maxsize=4096)
def _leg(symbol: str, word: str) -> SafeString:
    """Show a leg; a page of many broadcasts has the same few symbols again and again."""
    instruction = Instruction(word)
    shorthand, words = describe(Leg(symbol, instruction)).split(" ", 1)
    side = "buy" if instruction.is_buy else "sell"
    return format_html('<b class="{}">{}</b> {}', side, shorthand, words)


@register.filter
def money(value: Decimal | None) -> str:
    """Write dollars and cents with separators: `$1,284,310.22`, a true minus before the `$`."""
    if value is None:
        return NOTHING
    return f"{MINUS if value < 0 else ''}${abs(value):,.2f}"


@register.filter
def price(value: Decimal | None) -> str:
    """Write a price as the broker gives it, with two decimals at least: `2.35`, `0.0125`."""
    if value is None:
        return NOTHING
    whole, _, fraction = f"{value:,f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}".replace("-", MINUS)


@register.filter
def amount(value: Decimal | None) -> str:
    """Write a quantity without needless zeros: `4`, `0.5`."""
    return NOTHING if value is None else f"{value.normalize():f}"


@register.filter
def et_time(at: datetime | None) -> str:
    """Write the time of day in New York: `09:41:22 ET`."""
    if at is None:
        return NOTHING
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone.")
    return f"{at.astimezone(EASTERN):%H:%M:%S} ET"


@register.filter
def et_moment(at: datetime | None) -> str:
    """Write date and time of day in New York: `Nov 23 09:41:22 ET`."""
    return NOTHING if at is None else f"{at.astimezone(EASTERN):%b %d} {et_time(at)}"


@register.simple_tag
def age(since: datetime) -> SafeString:
    """Show how long something has lasted (`1:23`); the page counts on, with the server's clock."""
    seconds = int((timezone.now() - since).total_seconds())
    late = " late" if seconds >= LATE_S else ""
    return _counted(since, f"num{late}", "up", clock(seconds))


@register.simple_tag
def countdown(at: datetime) -> SafeString:
    """Show in how long something is due (`in 0:37`), `now` from then on; the page counts on."""
    seconds = ceil((at - timezone.now()).total_seconds())
    return _counted(at, "num", "down", f"in {clock(seconds)}" if seconds > 0 else "now")


def _counted(at: datetime, classes: str, way: str, shown: str) -> SafeString:
    """Write what static/js/m/ages.js counts on."""
    piece = '<time class="{}" datetime="{}" data-count="{}">{}</time>'
    return format_html(piece, classes, at.isoformat(), way, shown)


def clock(seconds: int) -> str:
    """Write seconds as minutes or hours: `0:07`, `1:23`, `26:03:00`; never below zero."""
    minutes, second = divmod(max(seconds, 0), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


# Where what an alarm is about is looked at, if it has no place of its own.
_PAGES = {"brokerlogin": "logins", "mode": "modes", "beat": "status", "receiver": "hooks"}


@register.filter
def alarm_link(subject: str) -> str:
    """Return the address of what an alarm is about, or nothing if it has no page."""
    table, _, key = subject.partition(":")
    if table == "complexorder" and key.isdecimal():
        return reverse("order", args=[key])
    if table == "usersession":
        return reverse("sessions")
    if table == "externalorder":
        return f"{reverse('elsewhere')}#external-{key}"
    if table in _PAGES:
        return reverse(_PAGES[table])
    try:
        return reverse("unknown-order", args=[UUID(key)]) if table == "accountorder" else ""
    except ValueError:
        return ""


@register.filter
def plain(value: Decimal | None) -> str:
    """Write a number as it stands in an input: `7200`, `1.25`, `0.30`."""
    return "" if value is None else price(value).replace(",", "").removesuffix(".00")


@register.filter
def option_words(row: OptionLike) -> str:
    """Describe an option's market in a line: `1.20 × 1.30  Δ −0.15`."""
    quote = f"{price(row.bid)} × {price(row.ask)}"
    return quote if row.delta is None else f"{quote}  Δ {row.delta:.2f}".replace("-", MINUS)


@register.filter
def words(name: str) -> str:
    """Write one of our enumerations' names in words: `Good till cancel`."""
    return name.replace("_", " ").capitalize()
