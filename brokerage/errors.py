"""What can go wrong with the broker, sorted by what may be done next.

Messages are for operators: they never carry a token, a code, a secret or a request body.
"""


class BrokerError(Exception):
    """Something went wrong between us and the broker; catch a subclass to know what to do."""


class TryAgain(BrokerError):
    """Nothing is wrong with the request: a read may simply be repeated later."""


class Throttled(TryAgain):
    """Too many requests: repeat after `retry_after` seconds, and slow the polls down first."""

    def __init__(self, words: str, *, retry_after: float = 5.0) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class Unavailable(TryAgain):
    """The broker or its gateway is out of order: repeat with growing pauses."""


class PutOff(TryAgain):
    """Nobody asked: the app key's request budget is spent. Ask again soon."""


class LoginRequired(BrokerError):
    """Only a new sign-in at the broker helps: stop calling for this login and say so."""


class TokenRefused(LoginRequired):
    """The access token was not taken: get a fresh one and repeat once, then ask for a login."""


class Refused(BrokerError):
    """The broker understood and said no: record it; the same request will fail again.

    Args:
        status: the HTTP status, so that an unknown order (404) can be told from a bad request.
    """

    def __init__(self, words: str, *, status: int) -> None:
        super().__init__(words)
        self.status = status


class NotSent(BrokerError):
    """No byte of the request was written: anything, orders too, may be sent again."""


class OutcomeUnknown(BrokerError):
    """The request may have been carried out: repeat reads freely, reconcile anything else."""


class UnreadableReply(BrokerError):
    """An answer came and makes no sense: repeat reads; it proves nothing about an order."""
