"""Who may do what: the one table that pages, calls, commands and the administration ask."""

from collections.abc import Mapping
from enum import StrEnum

from accounts.domain.words import Role


class Power(StrEnum):
    """Something that not everybody may do who may sign in.

    EXIT closes positions and cancels orders; FREEZE sets a stricter mode (only who may TRADE sets
    a looser one); SYNC has the broker read now; ADMINISTER changes users, limits and schedules.
    """

    EXIT = "EXIT"
    FREEZE = "FREEZE"
    TRADE = "TRADE"
    SYNC = "SYNC"
    ADMINISTER = "ADMINISTER"


POWERS: Mapping[Role, frozenset[Power]] = {
    Role.VIEWER: frozenset(),
    Role.EXIT_ONLY: frozenset({Power.EXIT, Power.FREEZE}),
    Role.AGENT: frozenset({Power.EXIT, Power.FREEZE, Power.TRADE, Power.SYNC}),
    Role.ADMIN: frozenset(Power),
}

# What a call is told that is refused.
REFUSALS: Mapping[Power, str] = {
    Power.EXIT: "Your role may not close positions. Ask an admin for the role AGENT or EXIT_ONLY.",
    Power.FREEZE: "Your role may not change modes. Ask an admin for the role AGENT or EXIT_ONLY.",
    Power.TRADE: "Your role may not trade. Ask an admin for the role AGENT.",
    Power.SYNC: "Your role may not trigger syncs. Ask an admin for the role AGENT.",
    Power.ADMINISTER: "Your role may not administer. Ask an admin.",
}


def may(role: str, power: Power) -> bool:
    """Tell whether a role has a power; a role that is not in the table has none."""
    return role in POWERS and power in POWERS[Role(role)]
