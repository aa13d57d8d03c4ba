"""Ways to get the protocol wrong that somebody got wrong before, each a small change of a rule."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from brokerage.schwab.answers import REFUSALS, Proof, Verdict, judge_placing
from brokerage.schwab.exchange import Exchange
from orders.domain.answering import Next, next_step
from orders.domain.lifecycle import UNRESOLVED, Reason, Status
from orders.domain.matching import OUR_TAG, Match, match
from tests.unit.orders.protocol.claimable import may_claim
from tests.unit.orders.protocol.rules import Rules


@dataclass(frozen=True)
class Mutant:
    """Rules with one of them changed; at least one promise must break by it."""

    name: str
    rules: Rules


def claim_what_is_claimed(**row: Any) -> bool:
    is_ready = row["status"] in {Status.READY, *UNRESOLVED}
    return may_claim(**{**row, "status": Status.READY}) and is_ready


def claim_beside_a_twin(**row: Any) -> bool:
    return may_claim(**{**row, "has_unresolved_twin": False})


def send_again_what_is_ambiguous(verdict: Verdict, **more: Any) -> Next:
    planned = next_step(verdict, **more)
    if planned.to != Status.UNKNOWN:
        return planned
    return Next(Status.READY, frozenset({Status.SUBMITTING}), Reason.NOT_SENT)


def nothing_without_a_location(exchange: Exchange, *, account_hash: str) -> Verdict:
    verdict = judge_placing(exchange, account_hash=account_hash)
    if verdict.code != "NO_LOCATION":
        return verdict
    return Verdict(Proof.REFUSED, None, "REFUSED", "No Location")


def every_4xx_refuses(exchange: Exchange, *, account_hash: str) -> Verdict:
    if exchange.reply is None or exchange.reply.status not in REFUSALS:
        return judge_placing(exchange, account_hash=account_hash)
    return Verdict(Proof.REFUSED, None, "REFUSED", "No")


def match_without_tags(fingerprint: str, *, listed: Any, **more: Any) -> Match:
    return match(fingerprint, listed=[replace(one, tag=OUR_TAG) for one in listed], **more)


def match_what_is_owned(fingerprint: str, **more: Any) -> Match:
    return match(fingerprint, **{**more, "taken": ()})


def match_at_any_time(fingerprint: str, *, claimed_at: Any, listed: Any, **more: Any) -> Match:
    then = [replace(one, entered_at=claimed_at) for one in listed]
    return match(fingerprint, claimed_at=claimed_at, listed=then, **more)


def match_until_the_evening(fingerprint: str, **more: Any) -> Match:
    return match(fingerprint, **{**more, "quiet": timedelta(days=1)})


def _always(**_: Any) -> bool:
    return True


def _mutant(name: str, **rules: Any) -> Mutant:
    return Mutant(name, replace(Rules(), **rules))


MUTANTS = [
    _mutant("no claim", may_claim=claim_what_is_claimed),
    _mutant("an ambiguous answer is tried again", next_step=send_again_what_is_ambiguous),
    _mutant("absent after one list", absence_reads=1),
    _mutant("absent in the quiet period", counts_as_absence=_always),
    _mutant("a 201 without Location is a refusal", judge=nothing_without_a_location),
    _mutant(
        "two unresolved twins",
        may_claim=claim_beside_a_twin,
        is_unresolved=lambda status: False,
    ),
    _mutant("no look at the tag", match=match_without_tags),
    _mutant("owned orders match too", match=match_what_is_owned),
    _mutant("no look at the time of entry", match=match_at_any_time),
    _mutant("the window has no end", match=match_until_the_evening),
    _mutant("a number held wrongly proves absence", numbers_may_be_wrong=False),
    _mutant("the limit of sending is not kept", is_in_time=lambda now, send_before: True),
    _mutant("late answers are ignored", late_answers_count=False),
    _mutant("a lost claim is READY again", when_the_lease_is_over=Status.READY),
    _mutant("every 4xx refuses", judge=every_4xx_refuses),
    _mutant("a wrong Location is believed", is_stranger=lambda sought, shown: False),
    _mutant("a list with holes proves absence", is_whole=lambda page: True),
    _mutant("the absent never return", the_absent_may_return=False),
]
