"""Which trading mode is in force for an account and an underlying: the strictest wins."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from accounts.domain.words import Mode, ModeScope

_STRICTNESS = {Mode.OPEN: 0, Mode.CLOSE_ONLY: 1, Mode.FROZEN: 2}


@dataclass(frozen=True, slots=True)
class ModeRule:
    """One mode somebody set; `target` is a group's name, an account's id or an underlying."""

    scope: ModeScope
    target: str
    mode: Mode
    why: str = ""

    def covers(self, account_id: str, groups: Collection[str], underlying: str) -> bool:
        match self.scope:
            case ModeScope.FLEET | ModeScope.GATE:
                return True
            case ModeScope.GROUP:
                return self.target in groups
            case ModeScope.ACCOUNT:
                return self.target == account_id
            case ModeScope.UNDERLYING:
                return self.target == underlying

    @property
    def words(self) -> str:
        """Say what is in force and why, for the agent."""
        if self.scope == ModeScope.GATE:
            return self.why
        what = "fleet" if self.scope == ModeScope.FLEET else self.scope.lower()
        because = f": {self.why}" if self.why else ""
        return f"The {what} is {self.mode_words}{because}."

    @property
    def mode_words(self) -> str:
        return self.mode.replace("_", " ").lower()


def strictest(
    rules: Iterable[ModeRule], *, account_id: str, groups: Collection[str], underlying: str
) -> ModeRule | None:
    """Return the strictest rule that covers the account and underlying; None means OPEN."""
    covering = [rule for rule in rules if rule.covers(account_id, groups, underlying)]
    found = max(covering, key=lambda rule: _STRICTNESS[rule.mode], default=None)
    return None if found is None or found.mode == Mode.OPEN else found


def is_looser(mode: Mode, than: Mode) -> bool:
    """Whether a mode allows what the other forbids."""
    return _STRICTNESS[mode] < _STRICTNESS[than]


def opens_fleet(wish: ModeRule) -> bool:
    """Whether a mode lets the whole fleet trade."""
    return wish.scope == ModeScope.FLEET and wish.mode == Mode.OPEN
