"""The promise that most refusals make."""


class NothingDone(Exception):
    """What was asked is refused, and nothing was written or sent: it may be asked again."""
