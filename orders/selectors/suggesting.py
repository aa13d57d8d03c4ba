"""Which underlyings a ticket suggests: those traded last, then well-known ones."""

from orders.models import ComplexOrder
from strategies.domain.symbols import is_index

WELL_KNOWN = ("SPX", "XSP", "NDX", "RUT", "SPY", "QQQ", "IWM", "DIA", "AAPL", "MSFT", "NVDA")
_LOOKED_AT, _MOST = 200, 20


def suggest_underlyings(*, shares: bool) -> list[str]:
    """Return suggestions, the latest first; of shares without the indexes."""
    rows = ComplexOrder.objects.order_by("-pk").values_list("underlying", flat=True)
    found = dict.fromkeys([*rows[:_LOOKED_AT], *WELL_KNOWN])
    return [name for name in found if not (shares and is_index(name))][:_MOST]
