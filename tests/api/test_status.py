"""Status and sync over the API: everybody signed in may look, who trades may start a beat."""

import pytest

from accounts.domain.beats import Beat
from accounts.domain.words import LoginStatus, Role
from accounts.models import BrokerLogin
from orders.services.order_beats import run_order_beat
from tests.api.caller import Caller
from tests.support.make import make_user


@pytest.fixture
def cached(queue, settings):
    settings.CACHE_URL = queue.url
    return queue


def test_status_says_how_everything_is_and_what_it_costs(caller, fleet, cached):
    fleet.broker.market(fills="manual")
    fleet.broadcast(fleet.shares())
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)

    body = caller.get("status/").json()

    assert body["is_well"] is True
    assert {part["name"]: part["is_well"] for part in body["parts"]} == {
        "Database": True,
        "Queue (Redis)": True,
        "Cache (Redis)": True,
    }
    beats = {beat["beat"]: beat for beat in body["beats"]}
    assert beats["STOCKS"]["age_s"] is not None
    assert (beats["STOCKS"]["read"], beats["STOCKS"]["calls"]) == (3, 3)
    assert beats["OPTIONS"]["age_s"] is None
    assert body["budget"]["per_minute"] == 120
    assert sum(key["lanes"]["POLLS"] for key in body["budget"]["keys"]) == 3
    assert body["troubles"] == []
    assert (body["logins"], body["logins_out"]) == (3, 0)
    assert body["mode"] == []


def test_keys_are_named_by_their_logins_only(caller, fleet, cached):
    text = caller.get("status/").content.decode()

    for offer, login in zip(fleet.broker.logins(), fleet.logins, strict=False):
        assert login.label in text
        assert offer["app_key"] not in text
        assert login.app_key_index not in text


def test_a_login_that_fails_is_named(caller, fleet, cached):
    fleet.broker.market(fills="manual")
    fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])
    fleet.broker.fault("http_500", method="GET", path="/orders")
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)

    body = caller.get("status/").json()

    assert body["is_well"] is False
    (trouble,) = body["troubles"]
    assert (trouble["login"], trouble["what"]) == (fleet.logins[0].label, "stocks")


def test_a_login_that_must_sign_in_is_counted_and_named(caller, fleet, cached):
    BrokerLogin.objects.filter(pk=fleet.logins[1].pk).update(status=LoginStatus.LOGIN_REQUIRED)

    body = caller.get("status/").json()

    assert (body["is_well"], body["logins"], body["logins_out"]) == (False, 3, 1)
    assert [one["login"] for one in body["troubles"]] == [fleet.logins[1].label]


@pytest.mark.parametrize("name", ["stocks", "options", "accounts"])
def test_a_beat_is_rung_and_its_cost_is_told(
    caller, fleet, cached, name, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = caller.post(f"sync/{name}/")

    assert answer.status_code == 202
    assert answer.json()["beat"] == name.upper()
    assert answer.json()["cost"].startswith("Costs ")
    assert cached.messages(name) == 1


def test_who_only_looks_starts_nothing(fleet, cached):
    looker = Caller(make_user(Role.VIEWER))
    looker.sign_in()

    assert looker.get("status/").status_code == 200
    assert looker.post("sync/stocks/").status_code == 403
    assert cached.messages("stocks") == 0


def test_there_is_no_fourth_beat(caller, cached):
    assert caller.post("sync/bonds/").status_code == 404


def test_with_the_queue_down_nothing_is_promised(caller, fleet, settings):
    assert caller.post("sync/stocks/").status_code == 503
