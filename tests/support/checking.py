"""Run the product's own system checks, of the databases and of the start included."""

from django.core.checks import CheckMessage, run_checks


def found(*databases: str) -> list[CheckMessage]:
    """Return all messages; open databases are asked only if named."""
    return run_checks(
        tags=["tradeswim"], include_deployment_checks=True, databases=list(databases) or None
    )


def refused(*databases: str) -> set[str]:
    """Return the numbers of what is refused or warned of."""
    return {str(message.id).removeprefix("tradeswim.") for message in found(*databases)}
