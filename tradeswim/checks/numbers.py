"""Checks of the numbers of an order's life, and of what must not be where real money is."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

from tradeswim.checks.rules import TAG, Rule, broken

LIVE_QUIET_PERIOD_S = 60
LIVE_ABSENCE_READS = 3


def _is_live() -> bool:
    return bool(settings.ENVIRONMENT == "LIVE")


RULES = [
    Rule(
        "E060",
        lambda: settings.BROKER_TIMEOUT_S >= settings.CLAIM_LEASE_S,
        "A request to the broker may last longer than its order is claimed for.",
        "Make TRADESWIM_BROKER_TIMEOUT_S smaller than TRADESWIM_CLAIM_LEASE_S.",
    ),
    Rule(
        "E061",
        lambda: settings.CLAIM_LEASE_S >= settings.QUIET_PERIOD_S,
        "An order could be proved absent while its request may still be on its way.",
        "Make TRADESWIM_CLAIM_LEASE_S smaller than TRADESWIM_QUIET_PERIOD_S.",
    ),
    Rule(
        "E062",
        lambda: _is_live() and settings.QUIET_PERIOD_S < LIVE_QUIET_PERIOD_S,
        "An order could be proved absent before Schwab lists it.",
        f"In LIVE, TRADESWIM_QUIET_PERIOD_S must be at least {LIVE_QUIET_PERIOD_S}; unset it.",
    ),
    Rule(
        "E063",
        lambda: _is_live() and settings.ABSENCE_READS < LIVE_ABSENCE_READS,
        "An order could be proved absent by too few reads.",
        f"In LIVE, TRADESWIM_ABSENCE_READS must be at least {LIVE_ABSENCE_READS}; unset it.",
    ),
    Rule(
        "E064",
        lambda: _is_live() and settings.READY_DEADLINE_S > settings.CLAIM_LEASE_S,
        "An order could be sent long after the click, into a market that has moved.",
        "In LIVE, TRADESWIM_READY_DEADLINE_S must not exceed TRADESWIM_CLAIM_LEASE_S; unset it.",
    ),
    Rule(
        "E065",
        lambda: settings.DEBUG and (_is_live() or settings.IS_PRODUCTION),
        "DEBUG is on: error pages show settings and rows, and memory fills with queries.",
        "Set DEBUG to False.",
    ),
    Rule(
        "E066",
        lambda: _is_live() and settings.IS_TEST,
        "The settings of the tests have a secret key that everybody knows.",
        "Set DJANGO_SETTINGS_MODULE to tradeswim.settings.production.",
    ),
]


@register(TAG)
def check_numbers(**_: Any) -> list[CheckMessage]:
    """Look at the numbers against each other and against what LIVE demands."""
    return broken(RULES)
