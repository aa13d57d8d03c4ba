"""Write the rows of the history: a hundred a page, with a cell per account; each is one string."""

from functools import lru_cache

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.selectors.desk_facts import RowLeg
from orders.selectors.history import HistoryList
from orders.selectors.history_detail import AccountPart
from orders.selectors.history_rows import HistoryRow
from orders.templatetags.desk import (
    NOTHING,
    amount,
    leg,
    price,
    status_glyph,
    status_grid,
)
from strategies.domain.new_york import EASTERN
from strategies.domain.tickets import Instruction, Leg

register = template.Library()

TO = "\N{EN DASH}"

_ROW = (
    '<tr id="order-{id}" data-row{selected}><th class="num" scope="row">{number}</th>'
    '<td class="num placed"><time datetime="{stamp}">{day}<br><b>{time}</b></time></td>'
    '<td class="what">{name}<br><span class="muted">{terms}</span></td>'
    '<td class="what-legs"><ul class="legs">{legs}</ul></td>'
    '<td class="num">{average}</td><td class="num drift">{drift}</td>'
    '<td class="cells">{cells}</td>'
    '<td class="overall">{status}<br><span class="muted num">{filled}</span></td></tr>'
)
# A row that is selected, by a click or by Space, is shown beside the list; Enter clicks the link.
_NUMBER = (
    '<a href="{}" hx-get="{}" hx-target="#broadcast" hx-swap="innerHTML" hx-sync="this:drop"'
    ' hx-trigger="click, rowselect from:closest tr" data-open'
    ' aria-label="Broadcast {}, account by account">{}</a>'
)
_LEG = "<li>{}{}</li>"
_AT = ' <span class="at">{}</span>'
_MORE = (
    '<tr id="more-{0}" class="more" hx-get="{1}" hx-trigger="revealed" hx-swap="outerHTML">'
    '<td colspan="8"><a href="{2}">{3} more</a></td></tr>'
)

# A body per account order; its life is put into the row below it, which updates leave alone.
_PART = (
    '<tbody id="part-{key}"><tr><th scope="row">{alias}{attempt}</th><td>{status}</td>'
    '<td class="num">{filled}</td><td class="num">{price}</td><td class="num">{sent}</td>'
    '<td class="num">{answered}</td><td class="num broker-number">{number}</td></tr>{why}{life}'
    "</tbody>"
)
_LIFE_LINK = (
    '<a href="{0}" hx-get="{0}" hx-target="#life-{1}" hx-swap="innerHTML"'
    ' title="The life of this order">{2}</a>'
)
_LIFE = '<tr class="life"><td colspan="7" id="life-{}" hx-morph-skip></td></tr>'
_WHY = '<tr class="part-why"><td colspan="7">{}</td></tr>'
_ATTEMPT = ' <span class="muted">attempt {}{}</span>'


@register.simple_tag
def history_row(row: HistoryRow, selected: bool = False) -> SafeString:
    """Write one broadcast; the selected one is that which stands beside the list at first."""
    placed = row.order.clicked_at.astimezone(EASTERN)
    limit = "" if row.order.limit is None else f" {price(row.order.limit)}"
    return format_html(
        _ROW,
        id=row.id,
        selected=SafeString(' aria-selected="true"' if selected else ""),
        number=_number(row.id),
        stamp=placed.isoformat(timespec="seconds"),
        day=f"{placed:%m/%d/%y}",
        time=f"{placed:%H:%M:%S}",
        name=row.name,
        terms=f"{row.effect}{limit} ×{row.order.contracts}",
        legs=format_html_join("", "{}", ((_leg(one),) for one in row.legs)),
        average=price(row.average),
        drift=drift_words(row),
        cells=status_grid(row.codes, row.tips),
        status=status_glyph(row.order.status),
        filled=row.filled,
    )


def drift_words(row: HistoryRow) -> str:
    """Write the lowest and the highest price of an account, with a dash between them."""
    if row.lowest is None or row.lowest == row.highest:
        return NOTHING
    return f"{price(row.lowest)}{TO}{price(row.highest)}"


@register.simple_tag
def history_more(listed: HistoryList) -> SafeString:
    """Write the row that is replaced by the next page when it comes into sight."""
    if not listed.more:
        return SafeString("")
    return format_html(
        _MORE,
        listed.wish.page + 1,
        reverse("history-rows") + listed.next_query,
        reverse("history") + listed.next_query,
        listed.more,
    )


@register.simple_tag
def account_part(part: AccountPart) -> SafeString:
    """Write one account's order, with why it is where it is, and room for its life."""
    key = part.child_id or ""
    return format_html(
        _PART,
        key=key or part.alias,
        alias=_alias(part),
        attempt=_attempt(part),
        status=status_glyph(part.status),
        filled=f"{amount(part.filled)}/{part.contracts}" if part.contracts else NOTHING,
        price=price(part.net_price),
        sent=_whole(part.sent_ms),
        answered=_whole(part.answered_ms),
        number=part.broker_order_id or NOTHING,
        why=format_html(_WHY, part.why) if part.why else "",
        life=format_html(_LIFE, key) if key else "",
    )


def _alias(part: AccountPart) -> SafeString | str:
    if part.child_id is None:
        return part.alias
    return format_html(
        _LIFE_LINK, reverse("order-life", args=[part.child_id]), part.child_id, part.alias
    )


def _attempt(part: AccountPart) -> SafeString | str:
    """Say which attempt it is, where there are several, and which one took its place."""
    follows = "" if part.successor is None else f", followed by {part.successor}"
    if part.attempt == 1 and not follows:
        return ""
    return format_html(_ATTEMPT, part.attempt, follows)


def _whole(ms: float | None) -> str:
    return NOTHING if ms is None else f"{ms:,.0f}"


def _number(pk: int) -> SafeString:
    return format_html(
        _NUMBER, reverse("broadcast", args=[pk]), reverse("broadcast-pane", args=[pk]), pk, pk
    )


def _leg(one: RowLeg) -> SafeString:
    at = "" if one.average is None else format_html(_AT, f"@ {price(one.average)}")
    return format_html(_LEG, _described(one.symbol, one.instruction), at)


@lru_cache(maxsize=4096)
def _described(symbol: str, instruction: str) -> SafeString:
    """Show a leg; a page has hundreds, many of them the same."""
    return SafeString(leg(Leg(symbol, Instruction(instruction))))
