"""Live panels: told nothing new, rendered once for all, and never across what one may see."""

import gzip
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope, Role
from accounts.live.panels import panel_version
from accounts.live.responses import live_panel
from accounts.live.shelf import MOST, Shelf
from accounts.models import User
from accounts.services.alarms import raise_alarm
from accounts.services.modes import set_mode
from tests.web.browsing import HTMX, text_of

pytestmark = pytest.mark.django_db
FLEET = "/desk/fleet/"


@pytest.fixture
def ask():
    """A panel that counts how often it is rendered, asked by users of a role."""
    renderings = count(1)

    @live_panel("orders")
    def panel(request):
        return HttpResponse(f"{request.user.role} {request.GET.urlencode()} {next(renderings)}")

    def get(address="/panel/", role=Role.AGENT, view=panel, **headers):
        request = RequestFactory().get(address, headers=headers)
        request.user = User(username=f"one {role}", role=role)
        return view(request)

    return get


def something_happens():
    raise_alarm("X", "login:1", "Look!", now=timezone.now())


# --- versions ---------------------------------------------------------------------------------------


def test_a_page_is_told_nothing_until_something_happened(ask):
    seen = ask()["HX-PTag"]

    unchanged = ask(**{"HX-PTag": seen})
    something_happens()
    changed = ask(**{"HX-PTag": seen})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged["HX-PTag"] == seen
    assert changed.status_code == 200
    assert changed["HX-PTag"] != seen


def test_a_page_begins_with_the_version_it_was_made_of(ask):
    assert ask(**{"HX-PTag": panel_version("orders")}).status_code == 304


def test_the_tag_of_one_address_says_nothing_about_another(ask):
    seen = ask("/panel/?filter=a")["HX-PTag"]

    assert ask("/panel/?filter=b", **{"HX-PTag": seen}).content == b"AGENT filter=b 2"
    assert ask("/panel/?filter=a", **{"HX-PTag": seen}).status_code == 304


def test_what_no_event_tells_can_be_part_of_the_version(ask):
    words = ["one"]
    view = live_panel("orders", also=lambda: words[0])(lambda request: HttpResponse(words[0]))
    seen = ask(view=view)["HX-PTag"]

    words[0] = "two"

    assert ask(view=view, **{"HX-PTag": seen}).content == b"two"
    assert ask(view=view, **{"HX-PTag": panel_version("orders")}).status_code == 200


# --- rendered once ----------------------------------------------------------------------------------


def test_a_version_is_rendered_once_for_all_who_may_see_the_same(ask):
    assert ask().content == ask().content == b"AGENT  1"

    something_happens()

    assert ask().content == b"AGENT  2"


def test_what_was_rendered_for_one_role_is_never_shown_to_another(ask):
    agents = ask(role=Role.AGENT)

    viewers = ask(role=Role.VIEWER)

    assert viewers.content == b"VIEWER  2"
    assert ask(role=Role.VIEWER, **{"HX-PTag": agents["HX-PTag"]}).status_code == 200


def test_an_answer_that_is_no_panel_is_not_kept(ask):
    answers = iter([HttpResponse("No.", status=404), HttpResponse("Yes.")])
    view = live_panel("orders")(lambda request: next(answers))

    assert ask(view=view).status_code == 404
    assert ask(view=view).content == b"Yes."


def test_of_many_who_ask_at_once_one_renders():
    shelf, renderings, is_rendering, may_end = Shelf(), count(1), Event(), Event()

    def render() -> int:
        is_rendering.set()
        may_end.wait(5)
        return next(renderings)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(shelf.get, "tag", render) for _ in range(8)]
        assert is_rendering.wait(5)
        may_end.set()
        assert [one.result(5) for one in asked] == [1] * 8


def test_a_rendering_that_breaks_is_tried_again():
    shelf = Shelf()

    with pytest.raises(ZeroDivisionError):
        shelf.get("tag", lambda: 1 // 0)

    assert shelf.get("tag", lambda: 1) == 1


def test_what_was_asked_for_longest_ago_goes():
    shelf = Shelf()
    for number in range(MOST + 1):
        shelf.get(str(number), lambda: "old")

    assert shelf.get("1", lambda: "new") == "old"
    assert shelf.get("0", lambda: "new") == "new"


def test_a_large_panel_is_packed_for_who_takes_it_packed(ask):
    view = live_panel("orders")(lambda request: HttpResponse("0123456789" * 1000))

    plain = ask(view=view)
    packed = ask(view=view, **{"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < 200


# --- the frame --------------------------------------------------------------------------------------


def test_the_frame_of_one_role_is_never_shown_to_another(agent, viewer):
    something_happens()

    assert "Acknowledge" in text_of(agent.get(FLEET, headers=HTMX))
    assert "Acknowledge" in text_of(agent.get("/"))
    assert "Acknowledge" not in text_of(viewer.get(FLEET, headers=HTMX))
    assert "Acknowledge" not in text_of(viewer.get("/"))


def test_the_frame_holds_nothing_of_a_single_user(agent, fleet):
    something_happens()
    set_mode(
        scope=ModeScope.FLEET,
        target="",
        mode=Mode.CLOSE_ONLY,
        why="A test.",
        by=None,
        now=timezone.now(),
    )

    panel = agent.get(FLEET, headers=HTMX).content.decode()

    assert "csrf" not in panel
    assert fleet.agent.get_username() not in panel


def test_a_frame_that_somebody_looked_at_costs_the_next_page_one_query(
    agent, fleet, django_assert_num_queries
):
    page = agent.get("/desk/alarms/")
    assert page.status_code == 200

    # The session with its user, the version of the frame, and what the page itself reads.
    with django_assert_num_queries(1 + 1 + 2):
        agent.get("/desk/alarms/")


def test_the_frame_is_light(agent, fleet):
    fleet.broadcast(fleet.shares())

    assert len(agent.get(FLEET, headers=HTMX).content) < 2_000


def test_the_frame_says_what_was_sent_last_what_is_unknown_and_which_logins_are_out(
    agent, fleet, lose
):
    order = fleet.broadcast(fleet.shares())
    login = fleet.accounts[2].login
    type(login).objects.filter(pk=login.pk).update(status="LOGIN_REQUIRED")
    lose(1)

    page = text_of(agent.get("/"))

    assert "1 unknown" in page
    assert "1 of 3 logins must sign in again" in page
    assert re.search(r"last broadcast <b class=\"num\">\d sent in \d+ ms</b>", page)
    assert order.broadcast_ms is not None


# --- the stream -------------------------------------------------------------------------------------


def test_a_server_that_cannot_stream_says_so_and_holds_nobody(agent):
    answer = agent.get("/live/stream/")

    assert (answer.status_code, answer.content) == (204, b"")


def test_every_page_listens_and_every_panel_asks_by_itself_too(agent):
    page = text_of(agent.get("/"))

    assert 'hx-sse:connect="/live/stream/"' in page
    panels = re.findall(r'hx-ptag="[^"]*" hx-trigger="([^"]*)"', page)
    assert panels
    for trigger in panels:
        assert re.search(r"from:#live (throttle:250ms|delay:400ms)", trigger)
        assert "resync" in trigger
        assert "every 15s" in trigger


@pytest.mark.parametrize("path", ["/", "/stocks/"])
def test_a_click_is_looked_for_after_a_second_and_never_while_its_orders_are_claimed(agent, path):
    page = text_of(agent.get(path))

    assert re.search(r'<div id="orders" [^>]*sent from:body delay:1s,', page)


@pytest.mark.parametrize("path", ["/desk/unknown/", "/desk/modes/", "/history/", "/desk/ticket/"])
def test_what_asks_by_itself_can_be_asked_again(agent, path):
    page = text_of(agent.get(path))

    polling = re.findall(r'hx-trigger="([^"]*every [^"]*)"', page)
    assert len(polling) >= 2
    assert [one for one in polling if "resync" not in one] == []


def test_a_stranger_gets_no_page_of_settings():
    assert Client().get("/settings/")["Location"] == "/sign-in/?next=/settings/"
