"""Read the parameters of a request as strictly as Schwab does."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from brokerage.paper.messages import Refused, Request, gateway_error, trader_error

DAY_S = 86_400
MOST = Decimal(10**9)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", re.ASCII)


def window(
    request: Request, first: str, last: str, *, most_days: int, since_today: float | None = None
) -> tuple[float, float]:
    """Read two required times, as Unix seconds, and check the range between them.

    The range may be `most_days` long; with `since_today` it is counted back from that time.

    Raises:
        Refused: a 400.
    """
    begin, end = _time(request, first), _time(request, last)
    if end < begin:
        raise trader_error(400, f"'{last}' must not be before '{first}'")
    if (since_today or end) - begin > (most_days + 1) * DAY_S:
        raise trader_error(400, f"'{first}' must not be more than {most_days} days before")
    return begin, end


def required(request: Request, name: str) -> str:
    """Return a parameter that must be there."""
    value = request.query.get(name)
    if not value:
        raise trader_error(400, f"Required parameter '{name}' is not present")
    return value


def whole(request: Request, name: str) -> int | None:
    """Read a whole number above zero; None when it is not there."""
    value = request.query.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or not 0 < int(value) < 1 << 63:
        raise _invalid(value, name)
    return int(value)


def day(request: Request, name: str) -> date | None:
    """Read a date; None when it is not there."""
    value = request.query.get(name)
    if value is None:
        return None
    try:
        return datetime.strptime(value[:10], "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise market_data_error(f"'{value}' is not a valid value for {name}", name) from None


def amount(request: Request, name: str) -> Decimal | None:
    """Read a price; None when it is not there."""
    value = request.query.get(name)
    try:
        return None if value is None else Decimal(value)
    except InvalidOperation:
        raise market_data_error(f"'{value}' is not a valid value for {name}", name) from None


def flag(request: Request, name: str) -> bool:
    """Read a yes or no, spelled as any client does."""
    return request.query.get(name, "").lower() == "true"


def choice(wanted: dict[str, Any], name: str, allowed: frozenset[str], usual: str) -> str:
    """Read one of several words from a body; the usual one when it is not there."""
    value = wanted.get(name)
    if value is None:
        return usual
    if value not in allowed:
        raise trader_error(400, f"'{value}' is not a valid value for {name}")
    return str(value)


def sensible(value: object, *, low: Decimal = Decimal(0)) -> Decimal:
    """Read a number of a body, which may be written as text."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or not low <= number <= MOST:
        raise trader_error(400, f"'{value}' is not a number that makes sense here")
    return number


def market_data_error(detail: str, parameter: str) -> Refused:
    """Refuse a parameter in the words of market data."""
    return gateway_error(400, "Bad Request", detail=detail, source={"parameter": parameter})


def _time(request: Request, name: str) -> float:
    value = required(request, name)
    if not TIME.fullmatch(value):
        raise _invalid(value, name)
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        raise _invalid(value, name) from None


def _invalid(value: str, name: str) -> Refused:
    return trader_error(400, f"'{value}' is not a valid value for {name}")
