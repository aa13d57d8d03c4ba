"""The compose file and the image, which cannot be run here: they start what the units start."""

import re

import pytest
import yaml

from tests.deploy.units import ROOT, all_units

COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
SERVICES = COMPOSE["services"]
UNITS = {name.removeprefix("tradeswim-"): one for name, one in all_units().items()}
OTHERS = {"net", "database", "queue", "cache", "nginx"}


def test_there_is_a_container_for_every_unit_and_for_what_they_need():
    assert set(SERVICES) == {*UNITS, *OTHERS}


@pytest.mark.parametrize("name", sorted(UNITS))
def test_its_command_is_the_units(name):
    started = [word.replace("%%", "%") for word in UNITS[name].command if word != "--exit-code"]

    assert SERVICES[name]["command"] == started


@pytest.mark.parametrize("name", sorted(UNITS))
def test_it_gives_way_where_the_unit_does(name):
    weight = UNITS[name].one("CPUWeight")  # of 100, where containers have 1,024

    assert SERVICES[name].get("cpu_shares") == (int(weight) * 1024 // 100 if weight else None)


@pytest.mark.parametrize("name", sorted(UNITS))
def test_its_process_is_named_and_given_time_like_the_units(name):
    given = dict(pair.split("=", 1) for pair in UNITS[name].words("Environment"))
    named = {key: value for key, value in given.items() if not key.endswith("_FILE")}

    assert named.items() <= SERVICES[name]["environment"].items()
    if name != "prepare":
        grace = SERVICES[name]["stop_grace_period"]
        assert grace == f"{UNITS[name].seconds('TimeoutStopSec', 0):.0f}s"


@pytest.mark.parametrize("name", sorted({*SERVICES} - {"database"}))
def test_no_container_runs_as_root_or_writes_where_it_should_not(name):
    one = SERVICES[name]

    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert int(one["user"].partition(":")[0]) > 0


def test_secrets_come_as_files_that_the_repository_does_not_hold():
    kept = COMPOSE["secrets"]
    asked = {name for one in SERVICES.values() for name in one.get("secrets", [])}

    assert asked == set(kept)
    assert all(one["file"].startswith("${SECRETS:-./secrets}/") for one in kept.values())
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    for one in SERVICES.values():
        for key, value in one.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|_URL", key) and key != "TRADESWIM_WEB_URL":
                assert (key[-5:], value[:13]) == ("_FILE", "/run/secrets/")


def test_the_image_holds_the_code_where_the_commands_look_for_it():
    assert DOCKERFILE.count("COPY --from=build /opt/tradeswim/current /opt/tradeswim/current") == 1
    stages = re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE)
    built = {one["build"]["target"] for one in SERVICES.values() if "build" in one}
    assert built <= set(stages)
    final = DOCKERFILE[DOCKERFILE.rindex("FROM") :]
    assert "USER tradeswim" in final
    assert "useradd --system --uid 10001" in final


def test_the_image_is_built_from_what_is_needed_and_from_nothing_secret():
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert lines[0] == "*"
    for line in lines[1:]:
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists(), line
    copied = {path.name for path in ROOT.iterdir() if f"!{path.name}" in lines}
    assert {"accounts", "brokerage", "orders", "strategies", "tradeswim", "manage.py"} <= copied


def test_both_say_that_they_were_not_run():
    assert "Not run here" in DOCKERFILE
    assert "Not run here" in (ROOT / "deploy" / "compose.yaml").read_text()
