"""Sign a user in at the broker with a browser that nobody sits at: one attempt, then stop."""

from brokerage.browser_login.journey import Credentials, Ending, Journey, Outcome
from brokerage.browser_login.walking import walk

__all__ = ["Credentials", "Ending", "Journey", "Outcome", "walk"]
