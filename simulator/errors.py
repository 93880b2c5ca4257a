"""Errors a user can meet, and how they read.

One message says everything needed to mend the input: file, line, key path, what was found, what is
allowed, and the nearest valid name.  The command line turns `InputError` into exit code 2 and any other
`NeurocycleError` into exit code 1; neither ever shows a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class NeurocycleError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(NeurocycleError):
    """The user's input is wrong: a file, a key, a value, an argument.

    Parts that are given appear in a fixed order; parts that are not known are left out.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        file: object | None = None,
        line: int | None = None,
        key: str | None = None,
        found: object | None = None,
        allowed: Iterable[object] | str | None = None,
        nearest: str | None = None,
    ) -> None:
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        self.key = key
        self.found = found
        self.allowed = allowed if allowed is None or isinstance(allowed, str) else list(allowed)
        self.nearest = nearest
        super().__init__(self._compose())

    def _compose(self) -> str:
        place = ""
        if self.file is not None:
            place = self.file if self.line is None else f"{self.file}:{self.line}"
            place += ": "
        if self.key:
            place += f"{self.key}: "
        text = f"{place}{self.message}"
        if self.found is not None:
            shown = repr(self.found)
            text += f"; found {shown if len(shown) <= 120 else shown[:117] + '...'}"
        if self.allowed is not None:
            allowed = self.allowed if isinstance(self.allowed, str) else _join(self.allowed)
            text += f"; allowed: {allowed}"
        if self.nearest is not None:
            text += f"; did you mean {self.nearest!r}?"
        return text


class InvariantError(NeurocycleError):
    """A run broke a law that must always hold: a defect of the simulator, never of the input."""


class RunError(NeurocycleError):
    """A run could not be finished although its input is well formed (out of disk, interrupted)."""


def nearest(name: object, choices: Iterable[str]) -> str | None:
    """The valid name closest to `name`, or None when nothing is close."""
    matches = get_close_matches(str(name), sorted(choices), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown(kind: str, name: object, choices: Iterable[str], **where: object) -> InputError:
    """An `InputError` for a name that is not among `choices`, with the nearest one named."""
    ordered = sorted(choices)
    return InputError(
        f"unknown {kind}",
        found=name,
        allowed=ordered,
        nearest=nearest(name, ordered),
        **where,  # type: ignore[arg-type]
    )


def _join(values: Iterable[object]) -> str:
    shown = [str(v) for v in values]
    return ", ".join(shown) if len(shown) <= 24 else ", ".join(shown[:24]) + f", ... ({len(shown)} in all)"
