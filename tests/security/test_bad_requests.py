"""Bad input of every kind, on every address at once where that is possible.

What a single call or page refuses is tested beside it: prices, sizes and symbols in tests/api.
"""

from uuid import uuid4

import pytest
from django.test import Client

from accounts.decorators import guards_of
from accounts.domain.words import Role
from tests.api.caller import PROBLEM
from tests.security.walking import every_place, everything, visit
from tests.support.make import make_user

# Every word that an address of ours reads from its query, by what kind of nonsense it gets.
QUERY = [
    "account",
    "after",
    "all",
    "before",
    "by",
    "dir",
    "expiration",
    "from",
    "group",
    "kind",
    "limit",
    "mode",
    "of",
    "only",
    "open",
    "order",
    "page",
    "per",
    "q",
    "root",
    "scope",
    "search",
    "show",
    "shown",
    "since",
    "sort",
    "span",
    "state",
    "status",
    "strategy",
    "symbol",
    "target",
    "text",
    "to",
    "underlying",
    "until",
]
NONSENSE = ["' OR 1=1 --", "1; DROP TABLE x", "%00\x00", "9" * 400, "-1", "\ud7ff\u202e", "{{7*7}}"]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_in_a_query_breaks_nothing_and_writes_nothing(world, agent, nonsense):
    before, wrong = everything(), []
    for place in every_place(world.values):
        if place.name == "record-file" or place.is_admin:
            continue
        answer = agent.get(place.address, dict.fromkeys(QUERY, nonsense))
        if answer.status_code >= 500:
            wrong.append((place.address, answer.status_code))
    assert wrong == []
    assert everything() == before


@pytest.mark.parametrize("number", [0, 987_654_321, 2**31, 2**63, 10**30])
def test_what_is_not_there_is_not_found(world, agent, number):
    values = {
        name: number if isinstance(value, int) else uuid4() if name.endswith("_id") else "none"
        for name, value in world.values.items()
        if name not in {"expiration", "kind", "underlying", "app_label"}
    }
    wrong = []
    gone = every_place({**world.values, **values})
    for here, there in zip(every_place(world.values), gone, strict=True):
        # An alarm that is gone was seen by somebody: that is all a click wants.
        if here.address == there.address or here.is_admin or here.name == "acknowledge":
            continue
        # What only an admin changes is closed to an agent, whether it is there or not.
        closed = {403} if "may_administer" in guards_of(there.view) else set()
        for method in ("GET", "POST"):
            answer = visit(agent, there, method)
            if answer.status_code not in {404, 405, 400} | closed:
                wrong.append((method, there.address, answer.status_code))
    assert wrong == []


def test_a_call_takes_each_parameter_once(agent, world):
    for path in ("orders/?limit=1&limit=2", "sets/?limit=1&limit=2"):
        assert agent.get(f"/api/v1/{path}").status_code == 400
    day = world.values["expiration"]
    answer = agent.get(f"/api/v1/chains/SPX/{day}/?root=SPX&root=SPXW")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


def test_what_nobody_offered_is_not_taken_from_a_form(world):
    user = make_user(Role.VIEWER)
    client = Client()
    client.force_login(user)
    wish = {"density": "ROOMY", "role": "ADMIN", "is_staff": "1", "is_superuser": "1"}

    client.post("/settings/", {**wish, "username": "owner", "one_click_exit": "on"})

    user.refresh_from_db()
    assert (user.density, user.role, user.is_staff, user.is_superuser) == (
        "ROOMY",
        "VIEWER",
        False,
        False,
    )
    assert not user.one_click_exit


def test_a_body_that_is_too_large_or_has_too_many_fields_is_refused(world, agent):
    before = everything()
    for body in ({"limit": "x" * 300_000}, {f"f{n}": "1" for n in range(1100)}):
        for address in ("/desk/send/", "/desk/ticket/", "/sign-in/", "/logins/import/"):
            answer = agent.post(address, body)
            assert answer.status_code in {400, 413}, address
    assert everything() == before
