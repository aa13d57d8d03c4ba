"""The unattended sign-in in a real browser, on the paper broker's login pages, each of their ways."""

import contextlib
import logging
import os
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from brokerage.browser_login.journey import Credentials, Ending, Journey, Outcome
from brokerage.browser_login.walking import walk
from tests.e2e.browsing import CHROMIUM
from tests.support.paper import PaperBroker

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def broker() -> Iterator[PaperBroker]:
    broker = PaperBroker(accounts=10, accounts_per_login=2)
    yield broker
    broker.stop()


@pytest.fixture
def paper(broker: PaperBroker) -> PaperBroker:
    broker.reset()
    return broker


def go(
    paper: PaperBroker,
    number: int = 0,
    *,
    password: str | None = None,
    totp: bool = True,
    **more: Any,
) -> Outcome:
    """Walk for one of the logins; in a thread, for the test's own may have an event loop."""
    login = paper.logins()[number]
    query = {"client_id": login["app_key"], "redirect_uri": login["callback_url"], "state": "s1"}
    journey = Journey(
        authorize_url=f"{paper.url}/v1/oauth/authorize?{urlencode(query)}",
        callback_url=login["callback_url"],
        host="127.0.0.1",
        **{"page_timeout_s": 4, **more},
    )
    credentials = Credentials(
        login["user"], password or login["password"], login["totp_secret"] if totp else ""
    )
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(
            walk, journey, credentials, browser_path=CHROMIUM, has_sandbox=False
        ).result()


def test_five_logins_arrive_with_a_code_each(paper):
    codes = set()
    for number in range(5):
        outcome = go(paper, number)

        assert outcome.ending is Ending.ARRIVED
        query = parse_qs(urlsplit(outcome.callback).query)
        assert query["state"] == ["s1"]
        codes.update(query["code"])
    assert codes <= set(paper.broker.oauth.codes)
    assert len(codes) == 5


def test_the_browser_is_given_nothing_of_our_environment(paper, monkeypatch):
    monkeypatch.setenv("TRADESWIM_SECRET_KEY", "planted-in-the-environment")
    # The tests' own browser is this process's too, and has all of its environment.
    others = set(browsers_of(os.getpid()))
    seen: dict[int, bytes] = {}
    with ThreadPoolExecutor(1) as pool:
        walked = pool.submit(go, paper)
        while not walked.done():
            seen |= browsers_of(os.getpid(), apart_from=others)
            time.sleep(0.05)

    assert walked.result().ending is Ending.ARRIVED
    # Its helpers write their titles over their environments; the browser itself keeps its own.
    told = b"\n".join(seen.values())
    assert b"PATH=" in told
    assert b"planted" not in told
    assert b"TRADESWIM" not in told


def browsers_of(ancestor: int, *, apart_from: Collection[int] = ()) -> dict[int, bytes]:
    """Return the environments of Chromium's processes that descend from a process.

    Args:
        apart_from: processes that are left out, with all that descends from them.
    """
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            pid = int(folder.name)
            is_browser = b"chromium" in (folder / "cmdline").read_bytes().split(b"\0")[0]
            line = (pid, *_ancestors(pid))
            if is_browser and ancestor in line and not set(apart_from) & set(line):
                found[pid] = (folder / "environ").read_bytes()
    return found


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        yield pid


@pytest.mark.parametrize(
    "habits",
    [
        {"factor": "none"},
        {"factor": "none", "notices": 2},
        {"asks_device": False},
        {"factor": "picker", "approves_after_s": 0.5},
    ],
    ids=str,
)
def test_every_way_through_the_pages_arrives(paper, habits):
    paper.treat(**habits)
    assert go(paper, phone_wait_s=10).ending is Ending.ARRIVED


def test_only_the_accounts_we_know_are_linked(paper):
    known = paper.logins()[0]["accounts"][0]
    go(paper, endings=(known["number"][-3:],))
    *_, newest = paper.broker.oauth.codes.values()
    assert list(newest.linked) == [known["hash"]]


def test_a_wrong_password_is_typed_once_and_never_again(paper):
    outcome = go(paper, password="not the password")
    assert outcome.ending is Ending.WRONG_PASSWORD
    assert steps(paper) == 1


def test_a_locked_login_stops_at_once(paper):
    paper.treat(is_locked=True)
    assert go(paper).ending is Ending.LOCKED
    assert steps(paper) == 1


@pytest.mark.parametrize(
    ("body", "ending"),
    [
        ("unexpected", Ending.UNKNOWN_PAGE),
        ("changed", Ending.UNKNOWN_PAGE),
        ("access_denied", Ending.REFUSED),
    ],
)
def test_a_page_that_is_not_known_stops_it_with_a_picture(paper, body, ending):
    paper.fault("login_page", body=body, times=9)
    outcome = go(paper)
    assert outcome.ending is ending
    assert outcome.screenshot is not None
    assert outcome.screenshot.startswith(b"\x89PNG")
    assert steps(paper) == 0


def test_a_page_that_does_not_come_ends_in_time(paper):
    paper.fault("delay", path="/ui/page", delay_ms=30_000, times=9)
    assert go(paper).ending is Ending.TOO_SLOW


@pytest.mark.parametrize("wait_s", [0, 1])
def test_a_phone_that_nobody_holds_is_not_waited_for(paper, wait_s):
    paper.treat(factor="picker", approves_after_s=None)
    assert go(paper, phone_wait_s=wait_s).ending is Ending.PHONE_NEEDED


def test_without_a_totp_secret_no_code_is_guessed(paper):
    assert go(paper, totp=False).ending is Ending.PHONE_NEEDED
    assert steps(paper) == 1


def test_a_browser_that_is_not_there_is_said_plainly(paper):
    login = paper.logins()[0]
    journey = Journey(paper.url, login["callback_url"], "127.0.0.1")
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(
            walk, journey, Credentials("u", "p"), browser_path="/nowhere/chromium"
        ).result()
    assert outcome.ending is Ending.BROKEN


def test_no_secret_is_in_what_is_said_logged_or_shown(paper, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    login = paper.logins()[0]
    secrets = [login["password"], login["totp_secret"], login["app_key"], login["app_secret"]]
    paper.fault("login_page", body="changed", times=9)

    outcomes = [go(paper), go(paper, password=login["password"], page_timeout_s=1)]

    said = capfd.readouterr()
    told = f"{outcomes!r} {caplog.text} {said.out} {said.err}"
    assert [one for one in secrets if one in told] == []


def steps(paper: PaperBroker) -> int:
    """Return how many forms were sent."""
    return sum(row["path"] == "/ui/step" for row in paper.journal())
