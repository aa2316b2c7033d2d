"""Channels, servers and domains as lines of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.finding import Level
from pwless_middleware.delivery.health.server_health import ServerHealth
from pwless_middleware.delivery.queue.outcomes import Channel
from pwless_middleware.features.dashboard.delivery.reasons import explain_reason
from pwless_middleware.features.dashboard.delivery.sender_domains import DomainReport
from pwless_middleware.features.dashboard.delivery.servers import Report
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text

_CHANNELS: Final[Mapping[Channel, Text]] = {
    "mail": Text("Emails"),
    "sms": Text("Text messages"),
}
_RECORDS: Final[Mapping[str, Text]] = {
    "spf": Text("SPF"),
    "dmarc": Text("DMARC"),
    "dns": Text("DNS"),
}
_TONES: Final[Mapping[Level, str]] = {"ok": "good", "warn": "warn", "fail": "bad", "skip": ""}
_LEVELS: Final[Mapping[Level, Text]] = {
    "ok": Text("Fine"),
    "warn": Text("Look at this"),
    "fail": Text("Wrong"),
    "skip": Text("Not known"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time, as people and as machines read it."""

    text: str
    iso: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """Whether messages go out on one channel; `down` is since when they do not."""

    name: str
    down: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRow:
    """One server.

    Attributes:
        name, channel: which, and what goes through it.
        state, tone: how it does, in words and as a color.
        since: when its trouble began; `None` for none.
        taken, refused: how many it took, and did not take.
        taken_at: when it last took one; `None` for never.
        error, meaning: what it said last when it took none, and that in words.
        error_at: when that was.
    """

    name: str
    channel: str
    state: str
    tone: str
    since: Moment | None
    taken: int
    refused: int
    taken_at: Moment | None
    error: str
    meaning: str
    error_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """What one DNS record says: its name, how good that is, and a sentence."""

    name: str
    level: str
    tone: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRow:
    """A sender's domain; no `records` while DNS is being asked."""

    domain: str
    records: Sequence[RecordRow] | None
    at: Moment


def make_channel_rows(report: Report) -> list[ChannelRow]:
    """Return whether messages go out, for each channel that is used."""
    used: set[Channel] = {"mail", *(server.channel for server in report.servers)}
    down = dict(report.down_since)
    return [
        ChannelRow(name=translate(name), down=_moment(down.get(channel)))
        for channel, name in _CHANNELS.items()
        if channel in used
    ]


def make_server_rows(report: Report) -> list[ServerRow]:
    """Return the lines of all servers."""
    return [_server_row(server) for server in report.servers]


def _server_row(server: ServerHealth) -> ServerRow:
    if server.is_down:
        state, tone = Text("Down"), "bad"
    elif server.failing_since is not None:
        state, tone = Text("Failing"), "warn"
    elif server.taken_at is not None:
        state, tone = Text("Up"), "good"
    else:
        state, tone = Text("Not used yet"), ""
    meaning = explain_reason(server.error)
    return ServerRow(
        name=server.server,
        channel=translate(_CHANNELS[server.channel]),
        state=translate(state),
        tone=tone,
        since=_moment(server.failing_since),
        taken=server.taken,
        refused=server.refused,
        taken_at=_moment(server.taken_at),
        error=server.error,
        meaning=translate(meaning) if meaning is not None else "",
        error_at=_moment(server.error_at),
    )


def make_domain_rows(reports: Iterable[DomainReport]) -> list[DomainRow]:
    """Return what DNS says of each domain."""
    return [
        DomainRow(
            domain=report.domain,
            records=None
            if report.findings is None
            else [
                RecordRow(
                    name=translate(_RECORDS.get(finding.check, Text("DNS"))),
                    level=translate(_LEVELS[finding.level]),
                    tone=_TONES[finding.level],
                    text=translate(finding.message),
                )
                for finding in report.findings
            ],
            at=Moment(text=format_time(report.at), iso=format_iso(report.at)),
        )
        for report in reports
    ]


def _moment(at: int | None) -> Moment | None:
    return None if at is None else Moment(text=format_time(at), iso=format_iso(at))
