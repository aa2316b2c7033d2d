"""Steps that take time, marked for who traces them.

    with spans.step("pwless.send") as note:
        note("pwless.kind", "LINK_OTP")
        ...

Nobody listens unless a feature binds the spans to a tracer; then it costs next to nothing. What is
noted is from closed lists, and never of a person (security rule 66).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

Note = Callable[[str, str | int], None]
"""Notes something about the step: a name, and a value from a closed list or a number."""
StepTracer = Callable[[str], AbstractContextManager[Note]]
"""Begins a step by its name, and ends it with the context."""


def _note_nothing(name: str, value: str | int) -> None:
    """Note nothing: nobody listens."""


_NOBODY: Final = nullcontext(_note_nothing)


class Spans:
    """Hand steps to who traces them."""

    def __init__(self) -> None:
        self._tracer: StepTracer | None = None

    def bind(self, tracer: StepTracer) -> None:
        """Have a tracer hear of every step from now on."""
        self._tracer = tracer

    def step(self, name: str) -> AbstractContextManager[Note]:
        """Return the context of a step; what is raised in it goes on."""
        return _NOBODY if self._tracer is None else self._tracer(name)
