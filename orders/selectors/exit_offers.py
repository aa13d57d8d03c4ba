"""What the agent is shown before he exits a set: which accounts, how much, at what price."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from accounts.domain.modes import strictest
from accounts.domain.words import Mode
from accounts.selectors import groups_of
from accounts.selectors.modes import mode_rules
from orders.domain.bookmarks import begun_units
from orders.domain.exits import AT_WORK, part_of
from orders.domain.gains import entered_the_other_way, gain
from orders.selectors.exit_pricing import exit_prices
from orders.selectors.set_lines import SetLine
from orders.selectors.set_rows import SetAccount, SetRow
from orders.selectors.showing import latest_shares, words_of
from orders.templatetags.desk import status_words
from strategies.domain.catalog import recognise
from strategies.domain.pricing import ExitPrices
from strategies.domain.tickets import Leg, PriceEffect

# What a set's accounts have of it as far as we know, signed, by symbol.
Remaining = Mapping[UUID, Mapping[str, int]]

FLAT = "Flat at the broker."
NOTHING = "Nothing of the set is left in it."
WORKING = "An exit of it is at work."
HOLDS_NOTHING = "The broker last reported nothing of it: only the proof is made."
HOLDS_PART = "The broker last reported {} of {}: no more is closed."


@dataclass(frozen=True, slots=True)
class OfferedAccount:
    """An account in which the set can be exited.

    Args:
        note: what the agent should know of it, or empty.
    """

    account: SetAccount
    left: Mapping[str, int]
    note: str

    def units(self, ratios: Mapping[str, int], percent: int) -> int:
        """Return how many units an exit of this part closes at most."""
        bought = {leg.symbol: int(leg.bookmarked) for leg in self.account.by_leg}
        parts = {s: part_of(bought.get(s, 0), left, percent) for s, left in self.left.items()}
        return begun_units({s: Decimal(part) for s, part in parts.items()}, ratios)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An account in which nothing is closed, and why."""

    alias: str
    why: str


@dataclass(frozen=True, slots=True)
class ExitOffer:
    """What an exit of a set could do now.

    Args:
        legs: those of one unit's closing order, in its order.
    """

    row: SetRow
    legs: Sequence[Leg]
    prices: ExitPrices
    accounts: Sequence[OfferedAccount]
    left_out: Sequence[LeftOut]

    @property
    def effect(self) -> str:
        """What the price is called: `Net debit`; `Price` for one leg."""
        effect = self.prices.price_effect
        return "Price" if effect is None else PriceEffect(effect).replace("_", " ").capitalize()

    @property
    def entry(self) -> SetLine:
        """The set in a line, with what it was entered at."""
        return SetLine(self.row)

    @property
    def left_out_words(self) -> str:
        """Why accounts are left out, counted: `3 working, 1 rejected`."""
        counts = Counter(one.why.partition(".")[0].lower() for one in self.left_out)
        return ", ".join(f"{number} {why}" for why, number in counts.most_common())

    def gain_at(self, price: Decimal | None, units: int) -> Decimal | None:
        """Return what closing so many units at a price brings against the entry, USD."""
        entry, effect = self.entry.entry, self.prices.price_effect
        if price is None or entry is None:
            return None
        if not entered_the_other_way(self.row.order.price_effect, effect):
            return None
        return gain(entry, price, self.legs, effect) * units

    @property
    def notes(self) -> list[OfferedAccount]:
        """The accounts of which the agent should know something."""
        return [one for one in self.accounts if one.note]

    def units(self, ids: Collection[str] | None, percent: int) -> list[int]:
        """Return how many units are closed at most, in each of the accounts that are meant.

        Args:
            ids: None for all.
        """
        ratios = {leg.symbol: leg.ratio for leg in self.row.order.legs}
        meant = (one for one in self.accounts if ids is None or str(one.account.id) in ids)
        return [one.units(ratios, percent) for one in meant]


def offer_exit(row: SetRow, remaining: Remaining) -> ExitOffer:
    """Return what an exit could do now; the broker may be asked for prices."""
    out = {one.id: why for one in row.accounts if (why := _why_out(one, remaining))}
    ready = [one for one in row.accounts if one.id not in out]
    notes = _notes(row, ready, remaining)
    legs = recognise(row.order.closing_legs).legs
    return ExitOffer(
        row=row,
        legs=legs,
        prices=exit_prices(legs),
        accounts=[OfferedAccount(one, remaining[one.id], notes[one.id]) for one in ready],
        left_out=[
            *(LeftOut(one.alias, out[one.id]) for one in row.accounts if one.id in out),
            *_never_filled(row),
        ],
    )


def _why_out(account: SetAccount, remaining: Remaining) -> str:
    if account.is_flat:
        return FLAT
    if account.state in AT_WORK:
        return WORKING
    return "" if account.id in remaining else NOTHING


def _notes(row: SetRow, ready: Sequence[SetAccount], remaining: Remaining) -> Mapping[UUID, str]:
    rules = mode_rules()
    groups = groups_of([one.id for one in ready]) if rules else {}
    ratios = {leg.symbol: leg.ratio for leg in row.order.legs}
    notes = {}
    for one in ready:
        rule = strictest(
            rules,
            account_id=str(one.id),
            groups=groups.get(one.id, frozenset()),
            underlying=row.order.underlying,
        )
        if rule is not None and rule.mode == Mode.FROZEN:
            notes[one.id] = rule.words
            continue
        left = {symbol: Decimal(quantity) for symbol, quantity in remaining[one.id].items()}
        notes[one.id] = _held_words(one, begun_units(left, ratios))
    return notes


def _held_words(account: SetAccount, left: int) -> str:
    if account.held is None or account.held >= left:
        return ""
    return HOLDS_PART.format(account.held, left) if account.held else HOLDS_NOTHING


def _never_filled(row: SetRow) -> list[LeftOut]:
    """Return the accounts that the broadcast went to and in which nothing was filled."""
    members = {one.id for one in row.accounts}
    shares = latest_shares([row.order.id]).get(row.order.id, {}).values()
    return [
        LeftOut(share.alias, f"{status_words(share.status)}. {words_of(share)}".strip())
        for share in shares
        if share.id not in members
    ]
