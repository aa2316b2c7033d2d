"""The records' own `dataclass` makes what the standard library's makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any

import pytest

from pwless_middleware.core.dataclass import dataclass


class Plain:
    """Have every kind of field."""

    a: int
    b: str = "x"
    c: list[int] = field(default_factory=list, repr=False)
    d: int = field(default=4, kw_only=True, compare=False)
    e: int = field(kw_only=True)
    f: int = field(init=False, repr=False, compare=False, default_factory=lambda: 6)
    g: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "g", self.a + self.e)


def body() -> dict[str, Any]:
    """Return a fresh class body, since making a class changes its own."""
    return {k: copy.copy(v) for k, v in vars(Plain).items() if k not in ("__dict__", "__weakref__")}


Ours: Any = dataclass(frozen=True, slots=True)(type("Made", (), body() | {"__module__": __name__}))
Theirs: Any = dataclasses.dataclass(frozen=True, slots=True)(
    type("Made", (), body() | {"__module__": __name__})
)
Made = Ours  # where `pickle` looks for it
CALLS = [
    {"a": 1, "e": 2},
    {"a": 1, "b": "y", "c": [1], "d": 5, "e": 2},
]


def test_it_takes_the_same_arguments() -> None:
    def shape(cls: Any) -> list[tuple[object, ...]]:
        parameters = inspect.signature(cls).parameters.values()
        return [(p.name, p.kind, p.annotation, p.default is p.empty) for p in parameters]

    assert shape(Ours) == shape(Theirs)
    assert str(inspect.signature(Ours)) == str(inspect.signature(Theirs))
    for cls in (Ours, Theirs):
        with pytest.raises(TypeError, match="'e'"):
            cls(1)
        with pytest.raises(TypeError, match="unexpected keyword argument 'h'"):
            cls(1, e=2, h=3)


@pytest.mark.parametrize("given", CALLS)
def test_it_holds_and_shows_the_same(given: dict[str, Any]) -> None:
    ours, theirs = Ours(**given), Theirs(**given)
    assert repr(ours) == repr(theirs)
    assert hash_or_refusal(ours) == hash_or_refusal(theirs)
    for f in fields(Theirs):
        assert getattr(ours, f.name) == getattr(theirs, f.name), f.name
    assert Ours.__match_args__ == Theirs.__match_args__
    assert Ours.__slots__ == Theirs.__slots__
    assert not hasattr(ours, "__dict__")


def hash_or_refusal(value: object) -> object:
    """Return the hash, or the error: a list has none."""
    try:
        return hash(value)
    except TypeError as exc:
        return str(exc)


def test_two_are_equal_if_what_is_compared_is() -> None:
    assert Ours(1, e=2, d=3) == Ours(1, e=2, d=4)
    assert Ours(1, e=2) != Ours(1, e=3)
    assert Ours(1, e=2) != Theirs(1, e=2)
    assert Ours(1, e=2) != 1


def test_two_made_from_nothing_share_no_default() -> None:
    assert Ours(1, e=2).c is not Ours(1, e=2).c


def test_nothing_in_it_changes() -> None:
    one = Ours(1, e=2)
    with pytest.raises(FrozenInstanceError, match="'a'"):
        one.a = 2
    with pytest.raises(FrozenInstanceError, match="'z'"):
        one.z = 2
    with pytest.raises(FrozenInstanceError, match="'a'"):
        del one.a
    assert one.a == 1


def test_it_is_copied_replaced_and_pickled() -> None:
    one = Ours(1, "y", [3], e=2)
    assert replace(one, a=5) == Ours(5, "y", [3], e=2)
    assert replace(one, a=5).g == 7
    for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert again == one
        assert again.g == 3


def test_its_own_methods_stay() -> None:
    @dataclass(frozen=True, slots=True)
    class Secret:
        value: str

        def __repr__(self) -> str:
            return "Secret(…)"

    assert repr(Secret("x")) == "Secret(…)"


def test_a_frozen_class_may_inherit_from_it_with_either() -> None:
    @dataclasses.dataclass(frozen=True)
    class Host(Ours):  # type: ignore[misc]  # Any
        h: int = 8

    @dataclass(frozen=True, slots=True)
    class Own(Ours):  # type: ignore[misc]  # Any
        h: int = 8

    for cls in (Host, Own):
        made: Any = cls(1, e=2, h=9)
        assert (made.a, made.h) == (1, 9)
        with pytest.raises(FrozenInstanceError):
            made.h = 3


def test_what_inherits_from_it_may_make_the_first_instance() -> None:
    @dataclass(frozen=True, slots=True)
    class Base:
        a: int

    class Host(Base):
        def __init__(self) -> None:
            super().__init__(1)

    assert (Host().a, Host().a, Base(2).a) == (1, 1, 2)
    with pytest.raises(TypeError, match=r"Base\.__init__\(\)"):
        Base(1, 2)  # type: ignore[call-arg]


def test_one_without_fields_is_like_any_other() -> None:
    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())
    assert "Empty()" in repr(Empty())
