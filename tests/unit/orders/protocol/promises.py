"""What must hold whatever happens: each promise looks at the broker's truth and at the ledger."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings

from orders.domain.lifecycle import TERMINAL, UNRESOLVED, Reason, Status
from tests.unit.orders.protocol.broker import CLEAR_NO, Answer, Order
from tests.unit.orders.protocol.rows import Row
from tests.unit.orders.protocol.rules import QUIET, READY_FOR, TIMEOUT
from tests.unit.orders.protocol.wire import Flight
from tests.unit.orders.protocol.world import World


class Broken(AssertionError):
    """A promise does not hold; its text begins with the promise's name."""


def promise(name: str, holds: bool, words: object) -> None:
    if not holds:
        raise Broken(f"{name}: {words}")


def never_twice(world: World) -> None:
    """I1: at the broker is at most one order of each account order, and no POST was a guess."""
    for pk in world.ledger.rows:
        promise("I1 never twice", len(world.broker.made_by(pk)) <= 1, world.broker.made_by(pk))
        posts = [post for post in world.wire.posts if post.child_id == pk]
        answers = [post.plan.answer for post in posts[:-1] if post.plan]
        promise("I1 no blind retry", set(answers) <= CLEAR_NO, answers)


def attached_to_its_own(world: World) -> None:
    """I2, at every moment: an order that was read under its number is its account order's own."""
    for row in world.ledger.rows.values():
        if row.broker_order_id and row.broker_status:
            order = world.broker.number(row.broker_order_id)
            is_own = order is not None and order.maker == row.pk
            promise("I2 attached to its own", is_own, (row, order))


def claimed_before_it_was_sent(world: World) -> None:
    """I4: every POST has a claim out of READY of its own."""
    claim = (Status.READY, Status.SUBMITTING)
    for pk in world.ledger.rows:
        claims = sum(step == (pk, *claim) for step in world.ledger.trail)
        posts = sum(post.child_id == pk for post in world.wire.posts)
        promise("I4 claimed before", posts <= claims, (posts, claims))


def never_stale(world: World) -> None:
    """I5: no POST is written after the deadline, nor long after its claim."""
    for post in world.wire.posts:
        at = post.written_at
        promise("I5 written", at is not None, post)
        assert at is not None
        late = max(at - world.clicked_at[post.child_id] - READY_FOR, at - post.claimed_at - TIMEOUT)
        promise("I5 never stale", late <= timedelta(), (post, late))


def failed_means_absent(world: World) -> None:
    """I6: what counts as not placed is not at the broker, or was hidden from every proof."""
    for row in world.ledger.standing(Status.FAILED_TO_PLACE):
        placed = world.broker.made_by(row.pk)
        if placed and row.reason_code == Reason.PROVED_ABSENT:
            proofs = _proofs(world, row, placed[0])
            promise("I6 proved", proofs >= settings.ABSENCE_READS, (row, proofs))
        elif placed:
            promise("I6 failed means absent", False, (row, placed))
    for row in world.ledger.rows.values():
        is_back = row.reason_code == Reason.RESURRECTED
        promise("I6 alarm", not is_back or row.pk in world.ledger.alarms, row)


def _proofs(world: World, row: Row, order: Order) -> int:
    """Count the whole lists after the quiet period that do not show an order."""
    since = row.claimed_at + QUIET if row.claimed_at else world.now
    return sum(
        one.is_whole and one.asked_at >= since and order.number not in one.numbers
        for one in world.broker.lists
    )


def the_end_is_the_end(world: World) -> None:
    """I7: nothing leaves a terminal status but an absent order that returns."""
    for pk, old, new in world.ledger.trail:
        returns = (old, new) == (Status.FAILED_TO_PLACE, Status.WORKING)
        promise("I7 legal", old not in TERMINAL or returns, (pk, old, new))


def what_was_told_is_known(world: World, flight: Flight) -> None:
    """An answer with the right number counts, however late its worker records it."""
    row = world.ledger.rows[flight.child_id]
    told = flight.plan is not None and flight.plan.answer == Answer.CREATED
    if told and flight.reply is not None:
        promise("I8 what was told is known", row.broker_order_id is not None, row)


AT_EVERY_MOMENT: tuple[Callable[[World], None], ...] = (
    never_twice,
    attached_to_its_own,
    claimed_before_it_was_sent,
    never_stale,
    failed_means_absent,
    the_end_is_the_end,
)


def nothing_is_left_open(world: World) -> None:
    """I3: in the end nothing waits, is on its way, or unknown."""
    left = world.ledger.standing(Status.READY, *UNRESOLVED)
    promise("I3 nothing is left open", not left, left)


def nothing_is_lost(world: World) -> None:
    """I2 and I6, in the end: every order of ours is attached, and to its own account order."""
    for order in world.broker.orders:
        owner = world.ledger.owner_of(str(order.number))
        promise("I2 nothing is lost", (owner.pk if owner else None) == order.maker, (order, owner))


IN_THE_END: tuple[Callable[[World], None], ...] = (
    *AT_EVERY_MOMENT,
    nothing_is_left_open,
    nothing_is_lost,
)
