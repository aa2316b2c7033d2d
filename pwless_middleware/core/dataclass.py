"""The `dataclass` of our records: the standard library's, frozen and slotted, in less of a start.

Before Python 3.13 `dataclasses` compiles six methods of each class, one by one, which was half of
what importing the package took. Here one is compiled, `__init__`, and that as somebody wants it;
the others are the same for all classes but for the fields. The standard library still makes the
class, its fields and its slots, so `fields`, `replace`, `match`, `copy` and `pickle` work as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, cast

_T = TypeVar("_T")


class _Made:
    """Stands in a signature for a default that is made anew for each object."""

    def __repr__(self) -> str:
        return "<factory>"  # as the standard library has it, for who reads `help`


_MADE = _Made()


class _Init:
    """Stand for the `__init__` of a class until somebody wants it: few of all classes are used."""

    def __init__(self, cls: Any, fields: tuple[Field[Any], ...]) -> None:
        self._cls = cls
        self._fields = fields

    def __get__(self, instance: object | None, owner: type) -> Callable[..., None]:
        init = self._cls.__init__ = _make_init(self._cls, self._fields)
        return init if instance is None else init.__get__(instance)


def _make_init(cls: type, fields: tuple[Field[Any], ...]) -> FunctionType:
    """Compile the `__init__` of a frozen class."""
    taken = [f for f in fields if f.init]
    positional = [f for f in taken if not f.kw_only]
    keywords = [f for f in taken if f.kw_only]
    names: dict[str, object] = {"_set": object.__setattr__, "_MADE": _MADE}
    body = []
    for f in fields:
        value = f.name
        if f.default_factory is not MISSING:
            names[f"_make_{f.name}"] = f.default_factory
            value = f"_make_{f.name}()" + (f" if {f.name} is _MADE else {f.name}") * f.init
        elif not f.init:
            continue  # the class sets it
        body.append(f"_set(self, {f.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ["self", *(f.name for f in positional)]
    parameters += ["*", *(f.name for f in keywords)] if keywords else []
    text = f"def __init__({', '.join(parameters)}):\n  " + "\n  ".join(body or ["pass"])
    exec(text, names)  # noqa: S102  # of names that are ours, as `dataclasses` does it
    init: Any = names["__init__"]
    default = {
        f.name: f.default if f.default_factory is MISSING else _MADE
        for f in taken
        if (f.default, f.default_factory) != (MISSING, MISSING)
    }
    init.__defaults__ = tuple(default[f.name] for f in positional if f.name in default)
    init.__kwdefaults__ = {f.name: default[f.name] for f in keywords if f.name in default}
    init.__annotations__ = {f.name: f.type for f in taken} | {"return": None}
    init.__module__ = cls.__module__
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return cast("FunctionType", init)


def _refuse_change(self: object, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _make_methods(cls: type, fields: tuple[Field[Any], ...]) -> dict[str, Callable[..., Any]]:
    """Make what the class has besides `__init__`."""
    names = [f.name for f in fields]
    compared = [f.name for f in fields if (f.compare if f.hash is None else f.hash)]
    shown = [f.name for f in fields if f.repr]
    values: Callable[[Any], Any] = attrgetter(*compared) if compared else lambda _: ()

    def are_equal(self: Any, other: object) -> Any:
        return (
            values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented
        )

    def hash_values(self: Any) -> int:
        return hash(values(self))

    def show(self: Any) -> str:
        fields_shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{self.__class__.__qualname__}({fields_shown})"

    def get_state(self: Any) -> list[Any]:
        return [getattr(self, name) for name in names]

    def set_state(self: Any, state: list[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    return {
        "__eq__": are_equal,
        "__hash__": hash_values,
        "__repr__": show,
        "__setattr__": _refuse_change,
        "__delattr__": _refuse_deletion,
        "__getstate__": get_state,
        "__setstate__": set_state,
    }


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        *, frozen: Literal[True], slots: Literal[True], kw_only: bool = False
    ) -> Callable[[type[_T]], type[_T]]:
        """Make a class a frozen, slotted data class; to a type checker it is the standard one.

        It may have no `InitVar`. One that inherits fields is made by the standard library alone.
        """

        def decorate(cls: type[_T]) -> type[_T]:
            if any(dataclasses.is_dataclass(base) for base in cls.__bases__):
                whole = dataclasses.dataclass(frozen=frozen, slots=slots, kw_only=kw_only)
                return whole(cls)
            make = dataclasses.dataclass(
                init=False, repr=False, eq=False, slots=slots, kw_only=kw_only
            )
            made = make(cls)
            made.__dataclass_params__.frozen = frozen  # a frozen class of a host may inherit
            fields = dataclasses.fields(made)
            for name, method in _make_methods(made, fields).items():
                if name not in vars(cls):
                    setattr(made, name, method)
            made.__init__ = _Init(made, fields)
            return made

        return decorate
