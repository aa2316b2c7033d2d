"""Tell ASGI and WSGI apps apart, by the arguments that a callable takes."""

from __future__ import annotations

import inspect

from pwless_middleware.errors import ConfigError


def required_arguments(app: object) -> int | None:
    """Return how many arguments a call needs; `None` where that cannot be known."""
    signature = _signature(app)
    if signature is None:
        return None
    parameters = signature.parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return sum(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters)


def is_wsgi(app: object) -> bool:
    """Whether an app takes two arguments, as WSGI's do (PEP 3333), and is not async."""
    # Not whether it is callable, but whether its call is async.
    call = app if inspect.isroutine(app) else getattr(app, "__call__", app)  # noqa: B004
    return required_arguments(app) == 2 and not inspect.iscoroutinefunction(call)


def check_asgi_app(app: object) -> None:
    """Refuse what cannot be an ASGI app: nothing, a factory, a class, a WSGI app.

    Raises:
        ConfigError: it is one of these; the option is `app`.
    """
    name = getattr(app, "__qualname__", None) or type(app).__name__
    if not callable(app):
        raise ConfigError("app", f"set the ASGI app to wrap; {name} cannot be called")
    if required_arguments(app) == 0:
        made = f"PasswordlessMiddleware({name}(), ...)"
        raise ConfigError("app", f"{name} makes an app and is none: call it, {made}")
    if is_wsgi(app):
        raise ConfigError(
            "app",
            f"{name} takes two arguments, as WSGI apps do (Flask, Django): wrap it in a2wsgi's "
            "WSGIMiddleware first",
        )
    signature = _signature(app)
    if signature is not None:
        try:
            signature.bind("scope", "receive", "send")
        except TypeError:
            raise ConfigError(
                "app", f"{name} is no ASGI app: it does not take scope, receive and send"
            ) from None


def _signature(app: object) -> inspect.Signature | None:
    try:
        return inspect.signature(app)  # type: ignore[arg-type] # what is not callable raises
    except (TypeError, ValueError):
        return None
