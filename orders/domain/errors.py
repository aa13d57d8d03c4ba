"""What can be wrong with a request to broadcast, for pages and the API alike."""

from collections.abc import Sequence

from accounts.domain.refusals import NothingDone
from strategies.domain.tickets import Problem


class BadTicket(NothingDone):
    """The trade cannot be made as asked; every problem names its field. Nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class KeyReused(NothingDone):
    """The same Idempotency-Key came with another body. Nothing was written."""


class AlreadyFlat(NothingDone):
    """Nothing of the set is left to close. Nothing was written."""


class CannotControl(NothingDone):
    """What was asked of an order, a set or a mode cannot be done now; its words say why.

    Nothing was written.
    """


class NobodyToSendTo(BadTicket):
    """No account is left to send to."""


class GuardRefused(BadTicket):
    """The trade is possible, but guards take it for a mistake; nothing was written.

    Args:
        problems: what stays refused; the agent may confirm what is overridable.
        overridden: what he has confirmed already.
    """

    def __init__(self, problems: Sequence[Problem], overridden: Sequence[Problem] = ()) -> None:
        super().__init__(problems)
        self.overridden = tuple(overridden)
