"""Messages are gathered into few looks, and no login waits for another one."""

from uuid import uuid4

import pytest

from brokerage.schwab.streamer import Activity, Weight
from orders.services.streaming.wakes import GATHER_S, News, Wakes

LOGIN, OTHER = uuid4(), uuid4()


def fill(*order_ids: str) -> Activity:
    return Activity("OrderFillCompleted", Weight.CHANGE, order_ids)


def birth(*order_ids: str) -> Activity:
    return Activity("OrderCreated", Weight.BIRTH, order_ids)


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


def test_a_burst_of_messages_is_one_look(wakes: Wakes) -> None:
    for number in range(45):
        wakes.hear(LOGIN, [fill(str(number + 1))], at=100 + number / 1000)

    assert wakes.take(at=100.05) == {}
    assert wakes.due_at() == pytest.approx(100 + GATHER_S)
    (news,) = wakes.take(at=100.11).values()
    assert len(news.changed) == 45
    assert wakes.due_at() is None


def test_a_login_is_not_looked_at_twice_at_the_same_time(wakes: Wakes) -> None:
    wakes.hear(LOGIN, [fill("1")], at=100)
    wakes.take(at=101)
    wakes.hear(LOGIN, [fill("2")], at=101.1)

    assert wakes.take(at=110) == {}
    wakes.done([LOGIN])
    assert wakes.take(at=110) == {LOGIN: News(changed={"2"})}


def test_a_slow_login_does_not_hold_another_one(wakes: Wakes) -> None:
    wakes.hear(LOGIN, [fill("1")], at=100)
    wakes.take(at=101)
    wakes.hear(OTHER, [fill("2")], at=101)

    assert wakes.take(at=101.2) == {OTHER: News(changed={"2"})}


def test_the_more_looks_lately_the_longer_the_next_one_waits(wakes: Wakes) -> None:
    at, pauses = 100.0, []
    for number in range(8):
        wakes.hear(LOGIN, [fill(str(number + 1))], at=at)
        due_at = wakes.due_at()
        assert due_at is not None
        pauses.append(round(due_at - at, 3))
        at = due_at
        assert wakes.take(at=at)
        wakes.done([LOGIN])

    assert pauses == [0.1, 0.15, 0.3, 0.6, 1.2, 2.4, 3.0, 3.0]
    wakes.hear(LOGIN, [fill("9")], at=at + 60)
    assert wakes.due_at() == pytest.approx(at + 60 + GATHER_S)


def test_what_names_no_order_is_about_everything(wakes: Wakes) -> None:
    wakes.hear(LOGIN, [fill(), birth("7")], at=100)
    wakes.miss(OTHER, at=100)

    assert wakes.take(at=101) == {
        LOGIN: News(born={"7"}, everything=True),
        OTHER: News(everything=True),
    }


def test_no_message_is_no_reason_to_look(wakes: Wakes) -> None:
    wakes.hear(LOGIN, [], at=100)

    assert wakes.due_at() is None


def test_an_order_that_is_not_on_record_is_looked_for_again_and_then_given_up(
    wakes: Wakes,
) -> None:
    at, met = 100.0, 0
    while not (lost := wakes.meet(LOGIN, {"7": True}, at=at)):
        met += 1
        due_at = wakes.due_at()
        assert due_at is not None
        at = due_at
        assert wakes.take(at=at) == {LOGIN: News(changed={"7"})}
        wakes.done([LOGIN])

    assert lost == {"7"}
    assert met == 3
    assert at == pytest.approx(103.1)
    assert wakes.due_at() is None


def test_what_was_put_off_comes_back(wakes: Wakes) -> None:
    wakes.put_off(LOGIN, News(changed={"7"}), at=100)

    assert wakes.take(at=102) == {}
    assert wakes.take(at=104) == {LOGIN: News(changed={"7"})}


def test_a_login_that_is_gone_is_forgotten(wakes: Wakes) -> None:
    wakes.hear(LOGIN, [fill("1")], at=100)
    wakes.forget(LOGIN)

    assert wakes.due_at() is None
