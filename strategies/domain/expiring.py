"""When an option can be traded for the last time."""

from datetime import date, time, timedelta

from strategies.domain.symbols import OptionSymbol, is_index, underlying_of

# They settle at the opening of their expiration day and trade until the day before.
_MORNING_ROOTS = frozenset({"SPX", "NDX", "RUT", "DJX", "VIX", "VIXW"})
_INDEX_BELL, _LAST_BELL = time(16), time(16, 15)


def has_ended(option: OptionSymbol, *, today: date, at: time | None = None) -> bool:
    """Tell whether an option has traded for the last time.

    Args:
        today: the date at the exchange.
        at: the time there, New York; None where the market keeps no hours, as in paper trading.

    Some funds trade a quarter of an hour longer than other shares, so that is granted to all.
    """
    if option.root in _MORNING_ROOTS:
        return today > option.expiration - timedelta(days=1)
    if today != option.expiration or at is None:
        return today > option.expiration
    return at >= (_INDEX_BELL if is_index(underlying_of(option.root)) else _LAST_BELL)
