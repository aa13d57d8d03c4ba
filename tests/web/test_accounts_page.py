"""The page of accounts."""

from tests.web.browsing import HTMX, text_of


def test_it_renders(agent, fleet):
    page = agent.get("/accounts/")
    text = text_of(page)
    print(text[:200], len(page.content))
    assert page.status_code == 200
    assert agent.get("/accounts/grid/", headers=HTMX).status_code == 200
    assert agent.get("/accounts/?q=acc&sort=-value", headers=HTMX).status_code == 200
    pk = fleet.accounts[0].pk
    assert agent.get(f"/accounts/{pk}/").status_code == 200
    assert agent.get(f"/accounts/{pk}/", headers=HTMX).status_code == 200
