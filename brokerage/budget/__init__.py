"""The request budget: how many reads an app key may make in a minute, and who may make them."""

from brokerage.budget.lanes import LOW, MAY_SPEND_RESERVE, Lane, Terms
from brokerage.budget.thrifty import Sends, thrifty
from brokerage.budget.treasury import Budget, KeyUse, the_budget

__all__ = [
    "LOW",
    "MAY_SPEND_RESERVE",
    "Budget",
    "KeyUse",
    "Lane",
    "Sends",
    "Terms",
    "the_budget",
    "thrifty",
]
