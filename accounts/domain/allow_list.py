"""Where messages may be sent to: origins and networks that the host's settings name."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
PORTS = {"http": 80, "https": 443}
LONGEST_URL = 300
# Where a network of IPv6 alone reaches IPv4: the last 32 bits are the address.
TRANSLATED = IPv6Network("64:ff9b::/96")


class NotAllowed(ValueError):
    """An address that nothing may be sent to; its words say why."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Allowed origins, and the private networks that they may lie in.

    Args:
        origins: scheme, host and port.
        networks: addresses that are allowed although they are not public.
    """

    origins: frozenset[tuple[str, str, int]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, entries: Iterable[str], *, takes_http: bool) -> "AllowList":
        """Read entries such as `https://hooks.example.com` and `10.1.0.0/16`.

        An origin that names an address allows that address.

        Args:
            takes_http: whether plain HTTP is taken, which is only ever so on loopback.

        Errors: NotAllowed.
        """
        origins, networks = set(), []
        for entry in entries:
            if "://" not in entry:
                networks.append(_network(entry))
                continue
            scheme, host, _ = origin = _origin(_split(entry))
            if scheme != "https" and not (takes_http and _is_loopback(host)):
                raise NotAllowed(f"{host} must be reached by https.")
            origins.add(origin)
            if found := _literal(host):
                networks.append(ip_network(found))
        return cls(frozenset(origins), tuple(networks))

    def check_url(self, url: str) -> None:
        """Refuse an address whose origin is not allowed. Errors: NotAllowed."""
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise NotAllowed(f"Give an address of at most {LONGEST_URL} plain characters.")
        parts = _split(url)
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise NotAllowed("Give an address without a user, a password or a fragment.")
        if _origin(parts) not in self.origins:
            raise NotAllowed(
                "This host is not on the allow-list. TRADESWIM_WEBHOOKS_TO on the host names those "
                "that may be written to."
            )

    def permits(self, address: str) -> bool:
        """Tell whether a connection may go to this address: public ones, and those allowed."""
        found = _meant(ip_address(address.partition("%")[0]))
        if any(found.version == net.version and found in net for net in self.networks):
            return True
        return found.is_global and not found.is_multicast


def _meant(found: Address) -> Address:
    """Return where a connection ends: some addresses of IPv6 are but another way to one of IPv4."""
    if isinstance(found, IPv4Address):
        return found
    if found in TRANSLATED:
        return IPv4Address(int(found) & 0xFFFF_FFFF)
    return found.ipv4_mapped or found.sixtofour or found


def _network(entry: str) -> Network:
    try:
        return ip_network(entry)
    except ValueError:
        raise NotAllowed(f"{entry} is neither an origin nor a network.") from None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise NotAllowed("This is not an address.") from None
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in PORTS or not host:
        raise NotAllowed("Write an address as https://host/path.")
    return parts.scheme, host, parts.port or PORTS[parts.scheme]


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    found = _literal(host)
    return host == "localhost" if found is None else found.is_loopback
