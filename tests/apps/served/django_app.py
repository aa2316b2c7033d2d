"""A Django project in one file: admin, forms, static files, and a Channels consumer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import FOLDER, options

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"  # tables are made at import, inside no request
settings.configure(
    DEBUG=False,
    SECRET_KEY="django's own secret",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    FORCE_SCRIPT_NAME=urlsplit(os.environ["PWLESS_TEST_BASE_URL"]).path or None,
    STATIC_URL="static/",
    STATIC_ROOT=str(Path(FOLDER) / "collected"),
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{FOLDER}/django.db"}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "channels",
    ],
    MIDDLEWARE=[
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        # The recipe: `request.user` is the Django user with the address that signed in.
        os.environ.get("PWLESS_TEST_USER_MIDDLEWARE", f"{__name__}.PwlessUserMiddleware"),
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[f"{__name__}.Accounts"],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
)
django.setup()

from channels.auth import AuthMiddlewareStack  # noqa: E402 - after the settings, as Django wants
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.backends import RemoteUserBackend  # noqa: E402
from django.contrib.auth.middleware import RemoteUserMiddleware  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import (  # noqa: E402
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect  # noqa: E402
from django.urls import path, reverse  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402


class PwlessUserMiddleware(RemoteUserMiddleware):
    """Sign the reader in to Django, as whoever the scope says."""

    def __call__(self, request: HttpRequest) -> Any:
        user = request.scope["state"]["user"]
        # Django 5.2 reads the one name in a sync chain of middleware, the other in an async one.
        for name in ("REMOTE_USER", "HTTP_REMOTE_USER"):
            request.META.pop(name, None)
            if user.is_authenticated:
                request.META[name] = user.email
        return super().__call__(request)


class Accounts(RemoteUserBackend):
    """Make an account for whoever signs in; our staff may use the admin."""

    def configure_user(self, request: HttpRequest, user: Any, created: bool = True) -> Any:
        user.email = user.username
        user.is_staff = user.is_superuser = user.email.startswith("staff")
        user.save()
        return user


go_on = asyncio.Event()


def site(request: HttpRequest) -> HttpResponse:
    """Greet the reader, by Django's user and by ours."""
    ours = request.scope["state"]["user"]
    return JsonResponse(
        {
            "django": request.user.get_username(),
            "ours": ours.email,
            "hello": reverse("hello"),
            "absolute": request.build_absolute_uri(reverse("hello")),
        }
    )


def hello(request: HttpRequest) -> HttpResponse:
    """Greet the reader with what the query says."""
    return HttpResponse(f"{request.GET.get('greeting')}, {request.user.email}")


def old(request: HttpRequest) -> HttpResponse:
    """Redirect by name."""
    return redirect("hello")


def set_cookie(request: HttpRequest) -> HttpResponse:
    """Set a cookie of the app's own."""
    response = HttpResponse("set")
    response.set_cookie("own", "of-the-app")
    return response


def cookies(request: HttpRequest) -> HttpResponse:
    """Show which cookies reach the app."""
    return JsonResponse(request.COOKIES)


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponse:
    """Count an upload."""
    return HttpResponse(str(request.FILES["file"].size))


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Stream two lines, the second after `/go-on`."""

    async def pieces() -> AsyncIterator[bytes]:
        go_on.clear()
        yield b"first\n"
        await asyncio.wait_for(go_on.wait(), 30)
        yield b"second\n"

    return StreamingHttpResponse(pieces())


async def release(request: HttpRequest) -> HttpResponse:
    """Let the stream go on."""
    go_on.set()
    return HttpResponse("gone on")


urlpatterns = [
    path("", site),
    path("hello", hello, name="hello"),
    path("old", old),
    path("set-cookie", set_cookie),
    path("cookies", cookies),
    path("upload", upload),
    path("stream", stream),
    path("go-on", release),
    path("admin/", admin.site.urls),
]


class Echo(AsyncWebsocketConsumer):
    """Tell who speaks, by our user, and echo; `django` asks for Django's own."""

    async def connect(self) -> None:
        await self.accept()
        await self.send(self.scope["state"]["user"].email)

    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        if text_data == "django":
            text_data = f"django says {self.scope['user'].get_username()}"
        await self.send(text_data)


call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)

project = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": AuthMiddlewareStack(URLRouter([path("ws", Echo.as_asgi())])),
    }
)
# Channels' `AuthMiddlewareStack` takes any `user` in the scope for its own and writes into it.
app = PasswordlessMiddleware(project, **options(set_scope_user=False))
stock = PasswordlessMiddleware(
    project, **options(set_scope_user=False, identity_header="Remote-User")
)
