"""Samples, tables, and the machine that they come from."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from tests.benchmarks.targets import Place

_PACKAGES = (
    *("starlette", "itsdangerous", "jinja2", "redis", "aiosmtplib", "uvicorn", "uvloop"),
    *("httptools", "fastapi", "fastapi-users", "django", "django-allauth", "aiosmtpd"),
)


class Samples:
    """Keep one number for each round; the median is the figure, the quartiles its spread."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.values = list(values)

    def add(self, value: float) -> None:
        """Take the next round's number."""
        self.values.append(value)

    @property
    def median(self) -> float:
        """The figure."""
        return statistics.median(self.values)

    def over(self, other: Samples) -> Samples:
        """Subtract another one, round by round."""
        return Samples(a - b for a, b in zip(self.values, other.values, strict=True))

    def times(self, other: Samples) -> Samples:
        """Divide by another one, round by round: what the machine was busy with cancels out."""
        return Samples(a / b for a, b in zip(self.values, other.values, strict=True) if b)

    def told(self, digits: int = 1, unit: str = "") -> str:
        """Write `median (first quartile – third)`."""
        if len(self.values) < 2:
            return f"{self.median:,.{digits}f}{unit}"
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return f"{self.median:,.{digits}f}{unit} ({low:,.{digits}f}–{high:,.{digits}f})"


@dataclass
class Table:
    """Collect one Markdown table.

    Attributes:
        title: what was measured.
        columns: the heads.
        note: how to read it.
    """

    title: str
    columns: Sequence[str]
    note: str = ""
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Add a row."""
        self.rows.append(list(cells))

    def render(self) -> str:
        """Write it in Markdown."""
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines += ["| " + " | ".join(self.columns) + " |"]
        lines += ["|" + "---|" + "--:|" * (len(self.columns) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Options:
    """Say how long and what to measure.

    Attributes:
        rounds: how often each target has its turn.
        seconds: one turn over HTTP.
        requests: CPU seconds of one turn in process.
        logins: logins in one turn.
        outstanding: challenges and sessions of the large case.
        place: the servers and the folder of this run.
        only: the parts to run; empty for all.
    """

    rounds: int
    seconds: float
    turn: float
    logins: int
    outstanding: int
    place: Place
    say: Callable[[str], None] = print


def machine() -> str:
    """Describe the machine and the versions, in Markdown."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    versions = []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{model}, {cores} cores, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}; "
        f"load average at the start {load:.1f}.\n\n{', '.join(versions)}.\n"
    )
