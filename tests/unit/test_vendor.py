"""The committed third-party files are those that VENDOR.json records."""

import hashlib
import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"
PINS = json.loads((STATIC / "vendor" / "VENDOR.json").read_text())
OUTPUTS = [output for pin in PINS for output in pin["outputs"]]


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output["path"])
def test_a_vendored_file_is_the_one_that_was_recorded(output):
    content = (STATIC / output["path"]).read_bytes()

    assert hashlib.sha256(content).hexdigest() == output["sha256"]


def test_no_third_party_file_lies_beside_the_recorded_ones():
    folders = (STATIC / "vendor", STATIC / "fonts")
    present = {str(file.relative_to(STATIC)) for folder in folders for file in folder.iterdir()}

    assert present == {output["path"] for output in OUTPUTS} | {"vendor/VENDOR.json"}


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin["name"])
def test_a_package_is_pinned_exactly_and_brings_its_licence(pin):
    assert re.fullmatch(r"\d+\.\d+\.\d+", pin["version"])
    assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", pin["integrity"])
    assert any(output["path"].endswith(".LICENSE.txt") for output in pin["outputs"])


def test_no_vendored_script_names_a_source_map():
    scripts = list((STATIC / "vendor").glob("*.js"))

    assert scripts
    assert not [script for script in scripts if b"sourceMappingURL" in script.read_bytes()]
