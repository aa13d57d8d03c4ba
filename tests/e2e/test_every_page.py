"""What holds on every page and in every state: accessible, inside its frame, light, and still."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.past import fill, trade
from tests.e2e.site import Site
from tests.e2e.states import SHOTS, Shot

pytestmark = pytest.mark.timeout(180)

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
GRAVE = {"serious", "critical"}
# Uncompressed, fonts aside.
MOST_BYTES = 250_000
OVERFLOWING = """
() => [...document.querySelectorAll(".grid td, .grid th")]
  .filter((cell) => cell.offsetParent && cell.scrollWidth > cell.clientWidth + 1)
  .map((cell) => cell.outerHTML.slice(0, 160))
"""
WIDE_PANES = """
() => [...document.querySelectorAll(".scroll")]
  .filter((pane) => pane.scrollWidth > pane.clientWidth)
  .map((pane) => `${pane.scrollWidth} in ${pane.clientWidth}`)
"""
OUTSIDE = """
() => [...document.querySelectorAll(".sg")].filter((grid) => {
  const inner = grid.getBoundingClientRect();
  const outer = grid.parentElement.getBoundingClientRect();
  return inner.width && (inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1);
}).length
"""
SHIFTS = """
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted = (window.shifted ?? 0) + entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def lively(site: Site) -> Site:
    """An installation with a past, and orders that are filled, working, rejected and unknown."""
    fill(site.stack, broadcasts=120)
    trade(site.program)
    return site


@pytest.fixture
def opened(page: Page, lively: Site, request: pytest.FixtureRequest) -> Page:
    shot: Shot = request.param
    if shot.is_signed_in:
        lively.sign_in(page)
    page.goto(lively.url + shot.path)
    page.wait_for_timeout(500)
    shot.do(page)
    return page


every_shot = pytest.mark.parametrize("opened", SHOTS, indirect=True, ids=lambda shot: shot.name)


@every_shot
def test_nothing_serious_stands_between_anybody_and_the_page(opened):
    found = Axe().run(opened, options=RULES).response["violations"]
    grave = [_told(one) for one in found if one["impact"] in GRAVE]
    assert grave == []


@every_shot
def test_nothing_scrolls_sideways_and_all_cells_are_inside(opened):
    for width, height in ((1366, 768), (1920, 1080)):
        opened.set_viewport_size({"width": width, "height": height})
        opened.wait_for_timeout(100)
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.evaluate(OVERFLOWING) == []
        assert opened.evaluate(OUTSIDE) == 0


def test_the_lists_of_the_desks_are_no_wider_than_their_panes(page, lively):
    lively.sign_in(page)
    for width, height in ((1366, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for path in ("/", "/stocks/", "/desk/sets/", "/history/"):
            page.goto(lively.url + path)
            page.wait_for_timeout(300)
            assert page.evaluate(WIDE_PANES) == [], path


def test_a_row_of_two_legs_is_no_higher_than_48_pixels(page, lively):
    lively.sign_in(page)
    page.goto(lively.url + "/history/")
    heights = page.evaluate(
        """() => [...document.querySelectorAll("tr")]
          .filter((row) => row.querySelectorAll(".legs li").length === 2)
          .map((row) => row.getBoundingClientRect().height)"""
    )
    assert heights
    assert max(heights) <= 48


def test_the_desk_is_light_and_stands_still(page, lively):
    lively.sign_in(page)
    weights: dict[str, int] = {}
    page.on("response", lambda answer: _weigh(answer, weights))
    page.add_init_script(SHIFTS)

    # An alarm of the orders just sent may come meanwhile: its strip moves the page once.
    shifts: list[float] = []
    while len(shifts) < 3 and min(shifts, default=1) >= 0.01:
        page.goto(lively.url)
        page.wait_for_timeout(2500)
        shifts.append(page.evaluate("window.shifted ?? 0"))

    assert sum(weights.values()) <= MOST_BYTES, weights
    assert min(shifts) < 0.01, shifts


def _weigh(answer: Any, weights: dict[str, int]) -> None:
    if "/static/" in answer.url and not answer.url.endswith(".woff2"):
        weights[answer.url] = len(answer.body())


def _told(violation: dict[str, Any]) -> str:
    nodes = [f"{node['target']} {node.get('failureSummary', '')}" for node in violation["nodes"]]
    return f"{violation['id']} ({violation['impact']}): {nodes[:3]}"
