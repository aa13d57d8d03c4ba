"""The home's note of what ran here last, beside what the database says: `instance.json`."""

import json
import os
from pathlib import Path
from uuid import UUID

from django.conf import settings

from accounts.domain.instances import Note


def note_file() -> Path:
    """Return the file; a backup of the database must not bring it along."""
    return Path(settings.HOME) / "instance.json"


def read_note() -> Note | None:
    """Return the note; None if it is missing or makes no sense."""
    try:
        said = json.loads(note_file().read_text(encoding="ascii"))
        return Note(_run(said["run"]), int(said["pulse"]), _run(said["following"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_note(note: Note) -> None:
    """Write the note, wholly or not at all, and on the disk before this returns.

    Errors: OSError.
    """
    path = note_file()
    said = {"run": _text(note.run), "pulse": note.pulse, "following": _text(note.following)}
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _run(said: str | None) -> UUID | None:
    return None if said is None else UUID(said)


def _text(run: UUID | None) -> str | None:
    return None if run is None else str(run)
