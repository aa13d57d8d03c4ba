"""How far our clock is from the broker's, as the Date of an answer tells."""

import time
from email.utils import parsedate_to_datetime

from django.utils import timezone

from accounts.domain.envelope import CannotOpen
from accounts.services.market_login import ask_market
from brokerage.errors import BrokerError
from brokerage.schwab import messages
from orders.selectors.preflight import Check

# Deadlines of orders are a few seconds long.
MOST_S = 2.0
NAME = "Clock"


def clock_check() -> Check:
    """Ask the broker for its market hours once, and compare its clock with ours."""
    began = time.time()
    try:
        reply = ask_market(messages.markets(["equity"]), now=timezone.now())
        said = parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (BrokerError, CannotOpen, KeyError, ValueError) as error:
        return Check(NAME, is_go=False, words=f"the broker's is not known ({error})")
    off = seconds_off(said, began=began, ended=time.time())
    words = f"at least {off:.1f} s from the broker's: see timedatectl" if off else "the broker's"
    return Check(NAME, off <= MOST_S, words)


def seconds_off(said: float, *, began: float, ended: float) -> float:
    """Return by how much our clock is surely wrong; 0 if it may be right.

    Args:
        said: whole seconds, cut; said somewhen between `began` and `ended` of our clock.
    """
    return max(said - ended, began - (said + 1), 0.0)
