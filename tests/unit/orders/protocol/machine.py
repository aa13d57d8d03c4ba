"""Everything that can happen, in any order, as hypothesis' rules."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orders.domain.lifecycle import Status
from tests.unit.orders.protocol.broker import DEEDS, GOOD, Answer, Deed, Plan
from tests.unit.orders.protocol.promises import AT_EVERY_MOMENT, IN_THE_END, what_was_told_is_known
from tests.unit.orders.protocol.rules import Rules
from tests.unit.orders.protocol.trades import TRADES
from tests.unit.orders.protocol.wire import Flight
from tests.unit.orders.protocol.world import ORDINARY, Surroundings, World

T = TypeVar("T")

trades = st.sampled_from(sorted(TRADES))
which = st.integers(0, 7)
# One draw for all of it: drawing is what takes the time.
PLANS = [
    Plan(*parts)
    for parts in product(
        (*DEEDS, *[GOOD] * 5), (0, 0, 0.4, 4, 10), (0, 0, 3, 20, 55, 90, 300), range(3)
    )
]
LOST = Plan(Deed(Answer.SERVER_ERROR, places=True))
MIXED_UP = Plan(Deed(Answer.OTHER_ORDER, places=True), names=-2)
plans = st.sampled_from(PLANS)


def protocol(rules: Rules, surroundings: Surroundings = ORDINARY) -> type[RuleBasedStateMachine]:
    """Return the machine that plays by these rules in these surroundings."""

    class Protocol(Play):
        def __init__(self) -> None:
            super().__init__(rules, surroundings)

    return Protocol


class Play(RuleBasedStateMachine):
    """The world, one event at a time; after each the promises are checked, and in the end all."""

    def __init__(self, rules: Rules, surroundings: Surroundings) -> None:
        super().__init__()
        self.given = rules, surroundings
        self.world = World(rules)

    @initialize(ahead_s=st.sampled_from([0, 0, 300, -300]))
    def begin(self, ahead_s: int) -> None:
        rules, surroundings = self.given
        self.world = World(rules, timedelta(seconds=ahead_s), surroundings)

    @rule(trade=trades)
    def click(self, trade: str) -> None:
        if self.world.may_click(TRADES[trade]):
            self.world.click(TRADES[trade])

    @rule(trade=trades, plan=plans, patience=st.sampled_from([0, 1, 10]))
    def broadcast(self, trade: str, plan: Plan, patience: float) -> None:
        """Go the whole way at once; slow answers are left for later."""
        for flight in self._claim_new(trade):
            self.world.send(flight, plan)
            self.world.wait(patience)
            if flight in self.world.wire.recordable(self.world.now):
                self._record(flight)

    @rule(trade=trades, plan=plans)
    def broadcast_twice(self, trade: str, plan: Plan) -> None:
        """Let the agent repeat at once what went well."""
        self.broadcast(trade, Plan(GOOD), 0)
        self.broadcast(trade, plan, 0)

    @rule(first=trades, second=trades)
    def mix_up_numbers(self, first: str, second: str) -> None:
        """Lose the answer for one order, and let that for the next name the first."""
        self.broadcast(first, LOST, 0)
        self.broadcast(second, MIXED_UP, 0)

    @rule(trade=trades, plan=plans, has_sent=st.booleans())
    def stop_a_worker(self, trade: str, plan: Plan, has_sent: bool) -> None:
        """Stop a worker after its claim or its request, and let it go on after the lease."""
        for flight in self._claim_new(trade):
            if has_sent:
                self.world.send(flight, plan)
            self.world.wait(16)
            self.world.ledger.sweep(self.world.now)
            if not has_sent:
                self.world.send(flight, plan)
            if flight in self.world.wire.recordable(self.world.now):
                self._record(flight)

    def _claim_new(self, trade: str) -> list[Flight]:
        if not self.world.may_click(TRADES[trade]):
            return []
        return self.world.ring([self.world.click(TRADES[trade])])

    @precondition(lambda self: self.world.ledger.rows)
    @rule(place=which, many=st.booleans())
    def ring(self, place: int, many: bool) -> None:
        """Deliver a message: the first, a second, an old one, in any order."""
        ids = list(self.world.ledger.rows)
        self.world.ring(ids if many else [_pick(ids, place)])

    @precondition(lambda self: self.world.wire.waiting())
    @rule(place=which, plan=plans)
    def send(self, place: int, plan: Plan) -> None:
        self.world.send(_pick(self.world.wire.waiting(), place), plan)

    @precondition(lambda self: self.world.wire.recordable(self.world.now))
    @rule(place=which)
    def record(self, place: int) -> None:
        self._record(_pick(self.world.wire.recordable(self.world.now), place))

    def _record(self, flight: Flight) -> None:
        self.world.record(flight)
        what_was_told_is_known(self.world, flight)

    @precondition(lambda self: any(one.has_worker for one in self.world.wire.flights))
    @rule(place=which)
    def crash(self, place: int) -> None:
        self.world.crash(_pick([one for one in self.world.wire.flights if one.has_worker], place))

    @rule(seconds=st.sampled_from([0.3, 2, 5, 7, 11, 16, 61]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule()
    def sweep(self) -> None:
        self.world.ledger.sweep(self.world.now)

    @rule(whole=st.sampled_from([True, True, True, False]))
    def look(self, whole: bool) -> None:
        self.world.look(whole=whole)

    @rule(shown_at_once=st.booleans())
    def begin_look(self, shown_at_once: bool) -> None:
        self.world.begin_look(whole=True, shown_at_once=shown_at_once)

    @precondition(lambda self: self.world.looks)
    @rule(place=which)
    def end_look(self, place: int) -> None:
        self.world.end_look(_pick(self.world.looks, place))

    @rule(first=st.sampled_from([61, 61, 6]), whole=st.sampled_from([True, True, False]))
    def look_three_times(self, first: float, whole: bool) -> None:
        """Let time pass with lists in it, most often the quiet period too."""
        self.world.ledger.sweep(self.world.now)
        for seconds in (first, 6, 6):
            self.world.wait(seconds)
            self.world.look(whole=whole)

    @precondition(lambda self: self.world.ledger.standing(Status.WORKING))
    @rule()
    def poll(self) -> None:
        self.world.poll()

    @precondition(lambda self: self.world.broker.orders)
    @rule(place=which)
    def fill(self, place: int) -> None:
        self.world.fill(_pick(self.world.broker.orders, place))

    @rule(trade=trades)
    def type_by_hand(self, trade: str) -> None:
        self.world.type_by_hand(TRADES[trade])

    @rule(trade=trades)
    def trade_with_another_app(self, trade: str) -> None:
        self.world.trade_with_another_app(TRADES[trade])

    @precondition(lambda self: any(r.needs_agent for r in self.world.ledger.rows.values()))
    @rule()
    def decide(self) -> None:
        self.world.decide()

    @rule()
    def renew(self) -> None:
        self.world.ledger.renew()

    @rule(workers_die=st.booleans())
    def restart(self, workers_die: bool) -> None:
        self.world.restart(workers_die=workers_die)

    @invariant()
    def promises(self) -> None:
        for holds in AT_EVERY_MOMENT:
            holds(self.world)

    def teardown(self) -> None:
        self.world.drain()
        for holds in IN_THE_END:
            holds(self.world)


def _pick(found: Sequence[T], place: int) -> T:
    return found[place % len(found)]
