"""What the broker thinks of an order that was only previewed."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from brokerage.schwab.exchange import Reply
from brokerage.schwab.refusals import plain_words
from brokerage.schwab.replies import parsing
from brokerage.schwab.replies.parsing import Row


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview.

    Args:
        status: ACCEPTED or REJECTED; `rejects` says why.
        warnings: warns, alerts and reviews, which do not stop the order.
        order_value, commission, fees: USD for the whole order.
        buying_power: what would be left afterwards.
    """

    status: str
    rejects: tuple[str, ...]
    warnings: tuple[str, ...]
    order_value: Decimal | None
    buying_power: Decimal | None
    commission: Decimal
    fees: Decimal

    @property
    def is_accepted(self) -> bool:
        """Tell whether the order would be taken."""
        return self.status == "ACCEPTED" and not self.rejects


def read_preview(reply: Reply) -> Preview:
    """Read a preview; the answer is 200 for a rejected order too."""
    found = parsing.row(parsing.read_json(reply))
    strategy = parsing.row(found.get("orderStrategy"))
    balance = parsing.row(strategy.get("orderBalance") or {})
    result = parsing.row(found.get("orderValidationResult") or {})
    costs = parsing.row(found.get("commissionAndFee") or {})
    return Preview(
        status=parsing.text(strategy.get("status")),
        rejects=tuple(_messages(result, "rejects")),
        warnings=tuple(_messages(result, "warns", "alerts", "reviews")),
        order_value=parsing.number(balance.get("orderValue")),
        buying_power=parsing.number(balance.get("projectedBuyingPower")),
        commission=_sum(costs.get("commission"), "commissionLegs", "commissionValues"),
        fees=_sum(costs.get("fee"), "feeLegs", "feeValues"),
    )


def _messages(result: Row, *names: str) -> Iterator[str]:
    for name in names:
        for entry in map(parsing.row, parsing.rows(result.get(name))):
            yield plain_words(parsing.text(entry.get("activityMessage")))


def _sum(costs: object, legs: str, values: str) -> Decimal:
    found = parsing.row(costs or {})
    amounts = (
        parsing.quantity(parsing.row(value).get("value"))
        for leg in parsing.rows(found.get(legs))
        for value in parsing.rows(parsing.row(leg).get(values))
    )
    return sum(amounts, Decimal(0))
