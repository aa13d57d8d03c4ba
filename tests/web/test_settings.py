"""The page on which a user sets how his desk looks and answers."""

import pytest

from accounts.models import AuditEvent, User
from tests.web.browsing import form_in, text_of

ALL = {"density": "ROOMY", "single_keys": "", "one_click_exit": "on"}


def test_the_page_shows_what_is_set_now(agent):
    before = form_in(agent.get("/settings/"))
    agent.post("/settings/", ALL)

    after = form_in(agent.get("/settings/"))
    assert (before["density"], set(before)) == ("COMPACT", {"density", "single_keys"})
    assert (after["density"], set(after)) == ("ROOMY", {"density", "one_click_exit"})


def test_what_is_set_holds_on_every_page_and_is_on_record(agent, fleet):
    answer = agent.post("/settings/", ALL, follow=True)

    page = text_of(answer)
    user = User.objects.get(pk=fleet.agent.pk)
    assert "Saved." in page
    assert 'data-density="roomy"' in page
    assert 'data-single-keys="off"' in page
    assert (user.density, user.single_keys, user.one_click_exit) == ("ROOMY", False, True)
    events = AuditEvent.objects.filter(subject=f"user:{user.pk}", actor="agent")
    assert sorted(events.values_list("kind", "old", "new")) == [
        ("density", "COMPACT", "ROOMY"),
        ("one_click_exit", "False", "True"),
        ("single_keys", "True", "False"),
    ]


def test_setting_the_same_again_changes_and_records_nothing(agent):
    agent.post("/settings/", ALL)
    before = AuditEvent.objects.count()

    page = text_of(agent.post("/settings/", ALL, follow=True))

    assert "That was set already." in page
    assert AuditEvent.objects.count() == before


def test_who_may_not_exit_is_not_offered_to_exit_with_one_click(viewer):
    viewer.post("/settings/", ALL)

    assert "EXIT with one click" not in text_of(viewer.get("/settings/"))
    assert User.objects.get(username="viewer").one_click_exit is False


@pytest.mark.parametrize("density", ["", "HUGE"])
def test_what_cannot_be_is_refused_beside_its_field(agent, fleet, density):
    answer = agent.post("/settings/", {"density": density})

    assert answer.status_code == 200
    assert 'class="error"' in text_of(answer)
    assert User.objects.get(pk=fleet.agent.pk).density == "COMPACT"
