from orders.domain.lifecycle import Status


def test_a_condor_is_sent_to_every_account_and_fills(fleet):
    order = fleet.broadcast(fleet.condor())

    assert fleet.statuses(order) == [Status.WORKING] * 3
    fleet.poll()
    order.refresh_from_db()

    assert fleet.statuses(order) == [Status.FILLED] * 3
    assert order.status == "FILLED"
    placed = fleet.broker.orders()
    assert sorted(one["account"] for one in placed) == sorted(a.hash_value for a in fleet.accounts)


def test_an_order_of_unknown_outcome_is_never_sent_again(fleet):
    fleet.broker.fault("drop_after", times=1, method="POST", path="/orders")
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])

    fleet.send(order)

    assert fleet.statuses(order) == [Status.UNKNOWN]
    assert len(fleet.broker.orders()) == 1
