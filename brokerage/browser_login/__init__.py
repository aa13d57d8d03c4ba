"""Sign a user in at the broker with a browser that nobody sits at: one attempt, then stop.

Only `walking` and `pages` import Playwright; whoever needs `journey` alone does not load it.
"""
