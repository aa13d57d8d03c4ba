"""Rebuild the third-party files under static/ from the npm packages that VENDOR.json pins.

Run it after changing a pin: `python scripts/vendor.py`. It is the only thing here that needs npm;
its outputs are committed, and a test compares them with the hashes it records.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TypedDict

STATIC = Path(__file__).resolve().parent.parent / "static"
MANIFEST = STATIC / "vendor" / "VENDOR.json"

# The maps are not vendored, and the hashed static storage refuses files that name a missing one.
SOURCE_MAP = re.compile(rb"\s*//[#@] ?sourceMappingURL=\S+\s*$", re.MULTILINE)


class Output(TypedDict):
    """One file under static/: the package's files it is joined from, and its hash."""

    path: str
    files: list[str]
    sha256: str


class Pin(TypedDict):
    """One npm package at one version, with the registry's own hash of its tarball."""

    name: str
    version: str
    integrity: str
    licence: str
    outputs: list[Output]


class TamperedPackage(Exception):
    """A downloaded tarball is not the one that was pinned."""


def read_manifest() -> list[Pin]:
    """Return what is pinned, with the hashes of the last run."""
    pins: list[Pin] = json.loads(MANIFEST.read_text())
    return pins


def integrity_of(tarball: bytes) -> str:
    """Hash a tarball the way npm's `dist.integrity` spells it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()


def download(pin: Pin, folder: Path) -> Path:
    """Fetch the pinned tarball into an empty folder, or raise TamperedPackage."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is needed to vendor packages")
    package = f"{pin['name']}@{pin['version']}"
    command = [npm, "pack", package, "--silent", "--pack-destination", str(folder)]
    # The arguments come from our own committed manifest, and no shell reads them.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (tarball,) = folder.glob("*.tgz")
    if integrity_of(tarball.read_bytes()) != pin["integrity"]:
        raise TamperedPackage(package)
    return tarball


def read_member(tarball: tarfile.TarFile, name: str) -> bytes:
    """Take one file out of a package, scripts without the comment that names their source map."""
    member = tarball.extractfile(f"package/{name}")
    if member is None:
        raise FileNotFoundError(name)
    content = member.read()
    return SOURCE_MAP.sub(b"", content) if name.endswith(".js") else content


def build(pin: Pin) -> None:
    """Write every output of one package and record its hash in the pin."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(download(pin, Path(folder))) as tarball,
    ):
        for output in pin["outputs"]:
            content = b";\n".join(read_member(tarball, name) for name in output["files"])
            (STATIC / output["path"]).write_bytes(content)
            output["sha256"] = hashlib.sha256(content).hexdigest()
            sys.stdout.write(f"{output['path']} {len(content)} bytes\n")


def main() -> None:
    """Rebuild every pinned package, then write the manifest with the new hashes."""
    pins = read_manifest()
    for pin in pins:
        build(pin)
    MANIFEST.write_text(json.dumps(pins, indent=2) + "\n")


if __name__ == "__main__":
    main()
