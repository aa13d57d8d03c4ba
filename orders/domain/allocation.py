"""Who gets how many contracts of a broadcast, and who is left out and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from accounts.domain.modes import ModeRule, strictest
from accounts.domain.words import Mode
from orders.domain.lifecycle import Purpose, Reason
from strategies.domain.sizing import size


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account a broadcast may go to.

    Args:
        buying_power: as last read, USD; None if never.
    """

    account_id: UUID
    alias: str
    is_active: bool
    multiplier: Decimal
    login_words: str
    groups: frozenset[str] = frozenset()
    buying_power: Decimal | None = None
    is_margin: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """What one account gets; `reason_code` empty means it is sent."""

    account_id: UUID
    alias: str
    contracts: int
    reason_code: Reason | None = None
    reason: str = ""
    buying_power: Decimal | None = None
    is_margin: bool = True


def allocate(
    candidates: Sequence[Candidate],
    *,
    contracts: int,
    purpose: Purpose,
    underlying: str,
    rules: Iterable[ModeRule],
    most: int | None = None,
) -> list[Share]:
    """Fix each account's share: contracts times its multiplier, rounded down.

    Args:
        most: an account that would get more is left out.
    """
    in_force = list(rules)
    return [
        _share(candidate, contracts, purpose, underlying, in_force, most)
        for candidate in candidates
    ]


def _share(
    candidate: Candidate,
    contracts: int,
    purpose: Purpose,
    underlying: str,
    rules: list[ModeRule],
    most: int | None,
) -> Share:
    sized = size(contracts, candidate.multiplier)
    rule = strictest(
        rules,
        account_id=str(candidate.account_id),
        groups=candidate.groups,
        underlying=underlying,
    )
    code, why = _why_not(candidate, sized, purpose, rule, most)
    return Share(
        candidate.account_id,
        candidate.alias,
        sized,
        code,
        why,
        candidate.buying_power,
        candidate.is_margin,
    )


def _why_not(
    candidate: Candidate, sized: int, purpose: Purpose, rule: ModeRule | None, most: int | None
) -> tuple[Reason | None, str]:
    if not candidate.is_active:
        return Reason.INACTIVE, "The account is switched off."
    if rule is not None and blocks(rule.mode, purpose):
        code = Reason.FROZEN if rule.mode == Mode.FROZEN else Reason.CLOSE_ONLY
        return code, rule.words
    if candidate.login_words:
        return Reason.LOGIN_REQUIRED, candidate.login_words
    if sized == 0:
        return Reason.SIZED_TO_ZERO, f"The multiplier {candidate.multiplier} leaves no contract."
    if most is not None and sized > most:
        return Reason.MAX_CONTRACTS, f"{sized:,} is more than {most:,}, the most for one account."
    return None, ""


def blocks(mode: Mode, purpose: Purpose) -> bool:
    """Whether a mode forbids an order: FROZEN forbids all, CLOSE_ONLY all that open."""
    return mode == Mode.FROZEN or (mode == Mode.CLOSE_ONLY and purpose == Purpose.OPEN)
