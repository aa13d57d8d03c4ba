"""Write what stands on the stock desk: the market of a symbol, and orders in shares."""

from decimal import Decimal

from django import template

from orders.forms.showing import Shown
from orders.forms.ticket import TicketForm
from orders.models import ComplexOrder
from orders.selectors.stocks import ShareFigures, share_figures
from orders.templatetags.desk import price
from strategies.domain.tickets import Instruction, OrderType

register = template.Library()

_SIDES = {
    Instruction.BUY: "BUY",
    Instruction.SELL: "SELL",
    Instruction.SELL_SHORT: "SHORT",
    Instruction.BUY_TO_COVER: "COVER",
}
_TYPES = {
    OrderType.MARKET: "MKT",
    OrderType.LIMIT: "LMT",
    OrderType.STOP: "STP",
    OrderType.STOP_LIMIT: "STP LMT",
}


@register.simple_tag
def stock_figures(form: TicketForm, shown: Shown) -> ShareFigures | None:
    """Work out the numbers of a stock ticket."""
    ticket = form.ticket if form.is_valid() else None
    return share_figures(shown.offer, shown.figures, ticket)


@register.filter
def side(instruction: str) -> str:
    """Write what is done with shares: `BUY`, `SHORT`."""
    return _SIDES.get(Instruction(instruction), instruction)


@register.filter
def is_buy(instruction: str) -> bool:
    """Tell whether shares are bought."""
    return Instruction(instruction).is_buy


@register.filter
def terms(order: ComplexOrder) -> str:
    """Write type and prices: `LMT 187.20`, `STP LMT 186.00 · 187.20`, `MKT`."""
    prices = [one for one in (order.stop, order.limit) if one is not None]
    said = " · ".join(price(Decimal(one)) for one in prices)
    return f"{_TYPES[OrderType(order.order_type)]} {said}".strip()
