"""A rule about settings or a running server: when it is broken, and what to do then."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.core.checks import CheckMessage, Error, Warning

TAG = "tradeswim"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must be so.

    Args:
        id: stable; `W…` is a warning, all others are errors that nothing starts with.
        is_broken: looks now.
        fact: what is wrong and what it would do, as a sentence.
        remedy: what to do, as a sentence.
    """

    id: str
    is_broken: Callable[[], object]
    fact: str
    remedy: str

    def message(self) -> CheckMessage:
        kind = Warning if self.id.startswith("W") else Error
        return kind(self.fact, hint=self.remedy, id=f"{TAG}.{self.id}")


def broken(rules: Iterable[Rule]) -> list[CheckMessage]:
    """Return a message for every rule that is broken."""
    return [rule.message() for rule in rules if rule.is_broken()]


def unlike(
    found: dict[str, str], wanted: dict[str, tuple[str, set[str]]], *, where: str
) -> list[CheckMessage]:
    """Compare what a database server says of itself with what is safe.

    Args:
        found: its values by name, lower case.
        wanted: by name: the rule's id and the safe values.
        where: how to set it right.
    """
    return [
        Error(
            f"{name} is {found[name]!r} on the open connection, which can lose or repeat an order.",
            hint=f"Make it {' or '.join(sorted(safe))}: {where}",
            id=f"{TAG}.{rule_id}",
        )
        for name, (rule_id, safe) in wanted.items()
        if found[name] not in safe
    ]
