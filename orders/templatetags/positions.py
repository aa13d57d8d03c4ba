"""Write the rows of the positions page: a hundred a page, so each is one string."""

from collections.abc import Sequence
from decimal import Decimal

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.selectors.explaining import Part
from orders.selectors.external import ExternalRow
from orders.selectors.positions import HeldRow
from orders.selectors.positions_list import PositionsList, PositionsWish, View
from orders.templatetags.accounts import gain
from orders.templatetags.desk import MINUS, amount, price
from strategies.domain.symbols import readable

register = template.Library()

# More sets than this are counted: a symbol may be in hundreds.
MOST_SETS = 4

_ROW = (
    '<tr id="{key}" data-row>{first}<td class="symbol">{symbol}</td>'
    '<td class="num {side}">{quantity}</td><td class="num">{average}</td>'
    '<td class="num">{mark}</td><td class="num">{value}</td><td class="num">{gain}</td>'
    '<td>{sets}</td><td class="num">{strange}</td></tr>'
)
_ACCOUNT = '<th scope="row"><a href="{1}" data-open>{0}</a> <span class="muted">{2}</span></th>'
_SYMBOL = '<a href="{1}" title="{2}">{0}</a>'
_STRANGE = (
    '<span class="tag tag-unknown" title="{1}"><i class="st st-unknown"></i>'
    '{0} <span class="num">{2}</span></span>'
)
NOT_OURS, GONE = "not ours:", "gone:"
WHY_NOT_OURS = "No open placed order set explains this much: it was traded elsewhere"
WHY_GONE = "The open placed order sets say that there is this much more: it went elsewhere"


register.filter("readable", readable)


@register.filter
def signed(quantity: Decimal) -> str:
    """Write a position: `4`, `\N{MINUS SIGN}0.5`."""
    return amount(quantity).replace("-", MINUS)


@register.simple_tag
def position_row(row: HeldRow, wish: PositionsWish) -> SafeString:
    """Write one position of an account, or the sum of a symbol."""
    return format_html(
        _ROW,
        key=row.key,
        first=_first(row, wish),
        symbol=_symbol(row, wish),
        side="neg" if row.quantity < 0 else "pos",
        quantity=signed(row.quantity),
        average=price(row.average),
        mark=price(row.mark),
        value=price(row.value),
        gain=gain(row.gain),
        sets=set_parts(row.sets),
        strange=strange(row),
    )


_MORE = (
    '<tr id="positions-more" class="more" hx-get="{0}" hx-trigger="revealed"'
    ' hx-swap="outerHTML"><td colspan="9">{2}<span class="muted">{1} more …</span></td></tr>'
)
_ALL = '<tr id="positions-more" hidden><td>{}</td></tr>'
# An open page asks for as many rows as it shows.
_SHOWN = '<input type="hidden" form="positions-wish" name="rows" value="{}">'


@register.simple_tag
def more_rows(listed: PositionsList, shown: int) -> SafeString:
    """Write the row that is replaced by the next ones when it comes into sight.

    Args:
        shown: how many rows the page shows already, beside these.
    """
    now_shown = shown + len(listed.rows)
    count = format_html(_SHOWN, now_shown)
    if not listed.more:
        return format_html(_ALL, count)
    link = reverse("positions-rows") + listed.wish.query(page=listed.next_page)
    return format_html(_MORE, f"{link}&shown={now_shown}", listed.more, count)


def set_parts(parts: Sequence[Part]) -> SafeString:
    """Name the sets that explain a position, each with how much: `#12 4`."""
    named = format_html_join(
        " ",
        '<a class="part" href="{}">#{}<span class="num">{}</span></a>',
        (
            (reverse("set", args=[part.set_id]), part.set_id, signed(part.quantity))
            for part in parts[:MOST_SETS]
        ),
    )
    rest = len(parts) - MOST_SETS
    return format_html('{} <span class="muted">+{}</span>', named, rest) if rest > 0 else named


def strange(row: HeldRow) -> SafeString:
    """Mark what no set explains: `not ours: 2`, or what the sets say beyond it: `gone: 1`."""
    if not row.is_strange:
        return SafeString("")
    words, why = (GONE, WHY_GONE) if row.is_missing else (NOT_OURS, WHY_NOT_OURS)
    return format_html(_STRANGE, words, why, signed(abs(row.strange)))


@register.simple_tag
def external_legs(row: ExternalRow) -> SafeString:
    """Write the legs of an order made elsewhere."""
    return format_html(
        '<ul class="legs">{}</ul>',
        format_html_join(
            "",
            '<li><b class="{}">{}</b> {} {}</li>',
            (
                ("buy" if leg.is_buy else "sell", leg.words, signed(leg.quantity), leg.text)
                for leg in row.legs
            ),
        ),
    )


def _first(row: HeldRow, wish: PositionsWish) -> SafeString:
    if row.account_id is None:
        return format_html('<td class="num">{}</td>', row.accounts)
    return format_html(_ACCOUNT, row.account, _to(wish, account=row.account_id), row.mask)


def _symbol(row: HeldRow, wish: PositionsWish) -> SafeString:
    link = _to(wish, view=View.ACCOUNTS, symbol=row.symbol, sort="")
    where = "its positions in all accounts"
    if row.account_id is None:
        return format_html('<a href="{1}" title="{2}" data-open>{0}</a>', row.text, link, where)
    return format_html(_SYMBOL, row.text, link, where)


def _to(wish: PositionsWish, **changes: object) -> str:
    return reverse("positions") + wish.query(page=1, **changes)
