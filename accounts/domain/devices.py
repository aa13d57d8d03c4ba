"""What a browser or a program calls itself, in plain words."""

NOBODY = "Unknown program"
LONGEST = 40
# The first that is found wins: most browsers name those that they descend from, too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device_words(agent: str) -> str:
    """Say a user agent without its versions: `Chrome on Windows`, `curl`.

    An update of the browser changes nothing about it.
    """
    browser = _first(BROWSERS, agent)
    if not browser:
        return _product(agent)
    system = _first(SYSTEMS, agent)
    return f"{browser} on {system}" if system else browser


def _first(words: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((said for mark, said in words if mark in agent), "")


def _product(agent: str) -> str:
    """Return the name before the first version: of `curl/8.5.0` it is `curl`."""
    name = agent.partition("/")[0]
    shown = "".join(letter for letter in name if letter.isascii() and letter.isprintable())
    return shown.strip()[:LONGEST] or NOBODY
