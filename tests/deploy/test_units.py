"""The units: systemd understands them, they start what `manage.py up` starts, and lock it in."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.machine import VIEW
from tests.deploy.units import ROOT, UNITS, Unit, all_units, read, unit
from tradeswim.up import plan

NAMES = sorted(path.stem for path in UNITS.glob("*.service"))
RUNNING = [name for name in NAMES if name != "tradeswim-prepare"]
PYTHON, MANAGE = "/opt/tradeswim/current/.venv/bin/python", "/opt/tradeswim/current/manage.py"
# What each process is kept from; the browser's process is let off what a browser cannot do without.
LOCKED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictNamespaces": "yes",
    "MemoryDenyWriteExecute": "yes",
    "CapabilityBoundingSet": "",
    "User": "tradeswim",
    "UMask": "0077",
    "LimitCORE": "0",
}
BROWSER = {"MemoryDenyWriteExecute": "no", "RestrictNamespaces": "no"}


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory) -> list[str]:
    """What `systemd-analyze verify` has to say, with our Python where the units expect it."""
    folder = tmp_path_factory.mktemp("view")
    view = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    places = [str(ROOT), str(folder), str(folder), "x"]
    files = [str(path) for path in sorted(UNITS.glob("tradeswim*.*")) if path.is_file()]
    done = subprocess.run(
        [*view, "sh", "-c", VIEW, "view", *places, "systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in done.stderr.splitlines() if "tradeswim" in line]


def test_systemd_understands_all_of_it(analyzed):
    assert analyzed == []


def test_there_is_a_unit_for_every_process_and_it_starts_the_same(monkeypatch):
    monkeypatch.setattr(sys, "executable", PYTHON)
    monkeypatch.setattr(plan, "MANAGE", MANAGE)
    programs = {one.name: one for one in plan.programs({})}
    units = {name.removeprefix("tradeswim-"): one for name, one in all_units().items()}

    assert set(units) == {*programs, "paper", "prepare"}
    for name, program in programs.items():
        started = [word.replace("%%", "%") for word in units[name].command]
        assert tuple(started) == program.command
        given = units[name].words("Environment")
        assert {f"{key}={value}" for key, value in program.environment.items()} <= set(given)
        assert int(units[name].one("Nice", "0")) == program.niceness
        assert units[name].one("CPUWeight") == ("25" if program.niceness else "")


def test_the_paper_broker_and_the_start_are_those_of_up_too():
    assert unit("tradeswim-paper").command[:3] == [PYTHON, MANAGE, "paperbroker"]
    assert unit("tradeswim-prepare").command == [
        *(PYTHON, MANAGE, "prepare"),
        *("--migrate", "--exit-code"),
    ]
    assert unit("tradeswim-prepare").one("SuccessExitStatus") == str(plan.GATE_IS_CLOSED)


def test_the_target_brings_up_every_unit():
    target = (UNITS / "tradeswim.target").read_text()
    wanted = set(re.findall(r"(?<!@)(tradeswim-[a-z]+)\.service", target))

    assert wanted == set(NAMES) - {"tradeswim-paper"}  # of PAPER installations only
    assert unit("tradeswim-paper").one("WantedBy") == "tradeswim.target"
    assert all(unit(name).one("PartOf") == "tradeswim.target" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_process_is_locked_in(name):
    expected = {**LOCKED, **(BROWSER if name == "tradeswim-logins" else {})}

    assert {key: unit(name).one(key, "missing") for key in LOCKED} == expected
    families = {"AF_UNIX", "AF_INET", "AF_INET6"}
    extra = {"AF_NETLINK"} if name == "tradeswim-logins" else set()
    assert set(unit(name).words("RestrictAddressFamilies")) == families | extra
    assert "@system-service" in unit(name).words("SystemCallFilter")


@pytest.mark.parametrize("name", RUNNING)
def test_what_dies_is_started_again_at_once_but_not_for_ever(name):
    one = unit(name)

    assert (one.one("Restart"), one.one("RestartSec")) == ("always", "1")
    assert (one.one("StartLimitIntervalSec"), one.one("StartLimitBurst")) == ("300", "60")
    assert one.one("Type") == "notify"


LISTS = {"After", "Wants", "Requires", "Environment", "LoadCredential", "IPAddressAllow"}


@pytest.mark.parametrize("name", NAMES)
def test_what_all_have_in_common_takes_nothing_back_that_a_unit_says(name):
    """The common file is read after the unit's own."""
    own = read(UNITS / f"{name}.service")
    common = read(UNITS / "tradeswim-.service.d" / "10-common.conf")

    assert set(own) & set(common) <= LISTS


def test_placing_has_the_time_to_finish():
    """A request may take ten seconds; the worker waits for its tasks for twelve before it goes."""
    assert unit("tradeswim-placement").seconds("TimeoutStopSec", 0) >= 10 + 12 + 5


def test_only_who_tells_that_it_lives_is_watched():
    watched = [name for name in NAMES if unit(name).one("WatchdogSec")]

    assert watched == ["tradeswim-sweeper"]


def test_no_secret_stands_in_a_unit():
    for name in NAMES:
        for pair in unit(name).words("Environment"):
            key, _, value = pair.partition("=")
            if re.search(r"KEY|PASSWORD|SECRET|URL", key):
                assert key.endswith("_FILE")
                assert value.startswith("/run/credentials/%n/")


def _secrets_named(one: Unit) -> Iterator[str]:
    yield from (Path(source).name for source in one.credentials().values())


def test_each_process_is_handed_what_its_settings_name():
    for name in NAMES:
        handed = set(_secrets_named(unit(name)))
        named = re.findall(r"/run/credentials/%n/(\S+)", " ".join(unit(name).words("Environment")))
        assert set(named) == handed
