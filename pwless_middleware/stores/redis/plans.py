"""Plan a verb as one script call: KEYS, ARGV, and a plan in JSON that points into both.

Pure: no connection, no clock. On a single Redis everything of a verb goes into one plan; on a
Redis Cluster one plan holds what lives in one hash slot (`redis.py` puts them in order).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence

from pwless_middleware.core.challenges.budget import Draw, Refund
from pwless_middleware.stores.base import Put, Writes

SlotOf = Callable[[str], Hashable]
_dumps = json.JSONEncoder(separators=(",", ":")).encode


def with_until(put: Put) -> bytes:
    """Return a record as it is stored: four bytes of `until`, then the value.

    Redis removes a record by its own clock; the number in front lets the caller's `now` decide,
    as the store contract has it.
    """
    return min(max(put.until, 0), 0xFFFFFFFF).to_bytes(4, "big") + put.value


def unless_expired(record: bytes | None, now: int) -> bytes | None:
    """Return the value of a stored record, or `None` if it is absent."""
    if record is None or len(record) < 4 or int.from_bytes(record[:4], "big") <= now:
        return None
    return record[4:]


class Plan:
    """Collect what one script call is made of.

    Args:
        prefix: what every key of ours begins with, its colon included.
        now: the caller's time, unix seconds.
    """

    def __init__(self, prefix: str, now: int) -> None:
        self._prefix = prefix
        self._now = now
        self._keys: dict[str, int] = {}
        self._values: list[bytes | str] = []
        self._fields: dict[str, object] = {"draws": []}

    @property
    def keys(self) -> list[str]:
        """The script's KEYS."""
        return list(self._keys)

    @property
    def args(self) -> list[bytes | str]:
        """The script's ARGV: now, the plan, the values."""
        return [str(self._now), _dumps(self._fields), *self._values]

    def key(self, key: str) -> int:
        """Name a key, without the prefix; gives its number in KEYS."""
        return self._keys.setdefault(self._prefix + key, len(self._keys) + 1)

    def value(self, value: bytes | str) -> int:
        """Add a value; gives its number in ARGV."""
        self._values.append(value)
        return len(self._values) + 2

    def set(self, **fields: object) -> Plan:
        """Add fields that the script reads as they are."""
        self._fields.update(fields)
        return self

    def op(self, verb: str, near: str, op: str) -> Plan:
        """Remember this operation's answer in the slot of the key `near`."""
        return self.set(op=self.key(f"o:{{{tag_of(near, self._prefix)}}}:{verb}:{op}"))

    def draws(self, draws: Iterable[Draw]) -> Plan:
        """Count these; what is only looked at has no window."""
        return self.set(draws=[self._draw(d) for d in draws])

    def _draw(self, draw: Draw) -> dict[str, object]:
        if draw.since is not None:
            return {"key": self.key(draw.key), "since": draw.since}
        fields: dict[str, object] = {
            "key": self.key(draw.key),
            "tag": draw.tag,
            "quantum": draw.quantum,
            "limits": [(li.count, li.window, li.mask) for li in draw.limits],
        }
        if draw.enters:
            fields["window"] = draw.window
        return fields

    def put(self, put: Put, replaces: bytes | None) -> Plan:
        """Write this record, if `replaces` stands there (`None`: if nothing does)."""
        fields = self._put(put)
        if replaces is not None:
            fields["replaces"] = self.value(replaces)
        return self.set(put=fields)

    def add(self, put: Put) -> Plan:
        """Enter the record into its list."""
        return self.set(add=self._add(put))

    def jobs(self, stream: str, delayed: str, payloads: Iterable[bytes], most: int) -> Plan:
        """Queue these jobs, if no more than `most` wait then."""
        return self.set(
            jobs={
                "stream": self.key(stream),
                "delayed": self.key(delayed),
                "payloads": [self.value(payload) for payload in payloads],
                "most": most,
            }
        )

    def writes(self, writes: Writes, channel: str, *, slot: Hashable, slot_of: SlotOf) -> Plan:
        """Do what of these writes lives in this slot."""

        def here(key: str | None) -> bool:
            return key is not None and slot_of(key) == slot

        return self.set(
            puts=[self._put(p) for p in writes.puts if here(p.key)],
            adds=[self._add(p) for p in writes.puts if here(p.listed)],
            drops=[self.key(d.key) for d in writes.drops if here(d.key)],
            leaves=[
                {"list": self.key(d.listed), "member": d.key}
                for d in writes.drops
                if d.listed is not None and here(d.listed)
            ],
            refunds=[self._refund(r) for r in writes.refunds if here(r.key)],
            publish=[d.key for d in writes.drops if d.publish and here(d.key)],
            channel=channel,
        )

    def _put(self, put: Put) -> dict[str, object]:
        ttl = put.until - self._now
        return {"key": self.key(put.key), "record": self.value(with_until(put)), "ttl": ttl}

    def _add(self, put: Put) -> dict[str, object]:
        return {
            "list": self.key(str(put.listed)),
            "member": put.key,
            "till": put.until,
            "ttl": put.until - self._now,
        }

    def _refund(self, refund: Refund) -> dict[str, object]:
        at = refund.at - refund.at % refund.quantum
        return {"key": self.key(refund.key), "at": at, "tag": refund.tag}


def tag_of(key: str, prefix: str) -> str:
    """Return what decides the slot of a prefixed key: its `{tag}`, or all of it (Cluster spec)."""
    start = key.find("{")
    end = key.find("}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start + 1 else prefix + key


def by_slot(draws: Sequence[Draw], slot_of: SlotOf) -> dict[Hashable, list[int]]:
    """Group draws by slot, as their numbers in `draws`, in the order given."""
    groups: dict[Hashable, list[int]] = {}
    for number, draw in enumerate(draws):
        groups.setdefault(slot_of(draw.key), []).append(number)
    return groups


def slots_of(writes: Writes, slot_of: SlotOf) -> dict[Hashable, str]:
    """Return the slots that these writes touch, each with one of its keys, in a fixed order."""
    keys: list[str | None] = [refund.key for refund in writes.refunds]
    for drop in writes.drops:
        keys += [drop.key, drop.listed]
    for put in writes.puts:
        keys += [put.key, put.listed]
    slots: dict[Hashable, str] = {}
    for key in keys:
        if key is not None:
            slots.setdefault(slot_of(key), key)
    return slots
