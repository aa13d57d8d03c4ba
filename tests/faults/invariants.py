"""What must be true after every fault, as sentences about what is not (I9 is in canary.py)."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from orders.domain.lifecycle import BROKER_TERMINAL, STEPS, Status
from tests.faults.holdings import OVERSOLD, overclosed
from tests.faults.truth import OURS, BrokerOrder, Child, Post, Truth

# A request is stamped when the broker's process, one of a dozen on two cores, gets to read it.
ARRIVAL_S = 1.0
MAY_BE_ON_ITS_WAY = {"SUBMITTING", "UNKNOWN"}
NOT_AT_THE_BROKER = {"READY", "SKIPPED", "FAILED_TO_PLACE"}
ENDS = {status.value for status in BROKER_TERMINAL}

Window = tuple[float, float]


def problems(truth: Truth, *, frozen: Sequence[Window] = ()) -> list[str]:
    """Say what is wrong; orders not yet settled are given the benefit of the doubt.

    Args:
        frozen: periods of Unix seconds in which nothing may be claimed.
    """
    ours = [order for order in truth.orders if order.tag.startswith(OURS)]
    return [
        *duplicates(truth.children, ours),
        *lost(truth.children, ours),
        *_invented(truth.children, truth.later),
        *_unclaimed(truth.children, truth.posts),
        *_late(truth.children, truth.posts),
        *_claimed_while(truth.children, frozen),
        *_impossible_lives(truth.children),
    ]


def duplicates(children: Iterable[Child], ours: Iterable[BrokerOrder]) -> list[str]:
    """I1: a click made at most one order in an account; an exit one for each of its attempts."""
    clicks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for child in children:
        clicks[child.account, child.fingerprint].append(child.order)
    placed = Counter((order.account, order.fingerprint) for order in ours)
    return [
        f"I1: {count} orders at the broker from clicks {sorted(clicks[what])} in {what[0][:8]}"
        for what, count in placed.items()
        if count > len(clicks[what])
    ]


def closed_too_much(truth: Truth) -> list[str]:
    """I11, I12: nothing was closed that was not held; nor was that asked for."""
    asked = [
        f"I11: {order.id} in {order.account[:8]} asked for more than was held"
        for order in truth.orders
        if order.tag.startswith(OURS) and OVERSOLD in order.words
    ]
    return [*asked, *overclosed(truth.deals, truth.resets)]


def lost(children: Sequence[Child], ours: Iterable[BrokerOrder]) -> list[str]:
    """I2, I6: every order of ours belongs to one account order, which says that it is there."""
    owners: dict[tuple[str, str | None], list[Child]] = defaultdict(list)
    possible: set[tuple[str, str]] = set()
    for child in children:
        owners[child.account, child.broker_order_id].append(child)
        if child.status in MAY_BE_ON_ITS_WAY:
            possible.add((child.account, child.fingerprint))
    found = []
    for order in ours:
        having = owners[order.account, order.id]
        if len(having) > 1:
            found.append(f"I2: {order.id} has {len(having)} owners")
        if not having and (order.account, order.fingerprint) not in possible:
            found.append(f"I2: nobody owns {order.id} in {order.account[:8]}")
        found += [
            f"I6: {child.id} is {child.status}, but {order.id} is at the broker"
            for child in having
            if child.status in NOT_AT_THE_BROKER
        ]
        found += [
            f"I2: {child.id} owns {order.id}, which is another order"
            for child in having
            if child.fingerprint != order.fingerprint and child.status not in MAY_BE_ON_ITS_WAY
        ]
    return found


def behind(truth: Truth) -> list[str]:
    """Say which account orders do not show yet how their order at the broker ended."""
    ends = {(one.account, one.id): one.status for one in truth.orders if one.status in ENDS}
    return [
        f"behind: {child.id} is {child.status}, but {child.broker_order_id} is {end}"
        for child in truth.children
        if (end := ends.get((child.account, child.broker_order_id or ""))) and child.status != end
    ]


def _invented(children: Iterable[Child], later: set[tuple[str, str]]) -> list[str]:
    return [
        f"I2: {child.id} is {child.status} as {child.broker_order_id}, which does not exist"
        for child in children
        if child.broker_order_id
        and child.status not in MAY_BE_ON_ITS_WAY
        and (child.account, child.broker_order_id) not in later
    ]


def _unclaimed(children: Sequence[Child], posts: Sequence[Post]) -> Iterator[str]:
    """I4: before the n-th request of an account there were n claims in it, on record."""
    claims = _by_account((child.account, at) for child in children for at in child.claims)
    arrivals = _by_account((post.account, post.at) for post in posts)
    for account, moments in arrivals.items():
        for number, at in enumerate(moments, 1):
            if bisect_right(claims.get(account, []), at) < number:
                yield f"I4: request {number} in {account[:8]} came before its claim"


def _late(children: Sequence[Child], posts: Sequence[Post]) -> Iterator[str]:
    """I5: no request arrived after the deadline of what was claimed last in its account."""
    claims: dict[str, list[tuple[float, float]]] = defaultdict(list)
    owners = {(child.account, child.broker_order_id): child for child in children}
    for child in children:
        claims[child.account] += [(at, child.deadline_at) for at in child.claims]
    for post in posts:
        owner = owners.get((post.account, post.order_id)) if post.order_id else None
        known = [deadline for at, deadline in claims[post.account] if at <= post.at]
        until = owner.deadline_at if owner else max(known, default=0.0)
        if post.at > until + ARRIVAL_S:
            yield f"I5: a request in {post.account[:8]} came {post.at - until:.1f} s too late"


def _claimed_while(children: Iterable[Child], frozen: Sequence[Window]) -> list[str]:
    return [
        f"I5: {child.id} was claimed while everything was frozen"
        for child in children
        for at in child.claims
        for began, ended in frozen
        if began < at < ended
    ]


def _impossible_lives(children: Iterable[Child]) -> Iterator[str]:
    """I7, I8: the record's steps are legal, follow each other, and lead to what the table says."""
    for child in children:
        stands = ""
        for step in child.steps:
            legal = {"READY", "SKIPPED"} if stands == "" else STEPS[Status(stands)]
            if step.old != stands or step.new not in legal:
                yield f"I7: {child.id} went {step.old} → {step.new} out of {stands or 'nothing'}"
            stands = step.new
        if stands != child.status:
            yield f"I8: {child.id} is {child.status}, but its record ends at {stands}"


def _by_account(moments: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    sorted_moments: dict[str, list[float]] = defaultdict(list)
    for account, at in sorted(moments):
        sorted_moments[account].append(at)
    return sorted_moments
