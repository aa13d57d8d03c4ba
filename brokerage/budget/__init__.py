"""The request budget: how many reads an app key may make in a minute, and who may make them."""

from brokerage.budget.lanes import Lane, Terms
from brokerage.budget.thrifty import NoPayer, thrifty
from brokerage.budget.treasury import Budget, KeyUse, the_budget

__all__ = ["Budget", "KeyUse", "Lane", "NoPayer", "Terms", "the_budget", "thrifty"]
