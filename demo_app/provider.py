"""Birch's company login: an identity provider for the demo, on this machine alone.

    pip install -e '.[provider]'
    python -m demo_app.provider

It is nanoidp, a provider for development; no password of it is a secret. The demo's organization
Birch signs in by it.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

PORT = 9000
ISSUER = f"http://localhost:{PORT}"
CLIENT_ID = "fernway"
CLIENT_SECRET = "fernway-and-birch-on-one-machine"  # noqa: S105 # of the demo
PASSWORD = "birch"  # noqa: S105 # of the demo
PEOPLE = {
    "kim": {"email": "kim@birch.example", "groups": ["engineering"]},
    "lou": {"email": "lou@birch.example", "groups": ["engineering", "admins"]},
}
"""Who can sign in there, by user name; the password of all is `PASSWORD`."""


def main() -> int:
    """Write what nanoidp reads into a folder of its own, and become nanoidp."""
    if find_spec("nanoidp") is None:
        print(
            "demo_app.provider: nanoidp is missing: pip install -e '.[provider]'", file=sys.stderr
        )
        return 2
    folder = Path(mkdtemp(prefix="pwless-demo-provider-"))
    settings = {
        "config_version": 1,
        "server": {"host": "127.0.0.1", "port": PORT},
        "oauth": {
            "issuer": ISSUER,
            "audience": "nobody",
            "clients": [{"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}],
        },
        "authority_prefixes": {"groups": ""},
    }
    users = {name: {"password": PASSWORD, **who} for name, who in PEOPLE.items()}
    (folder / "keys").mkdir()
    # JSON is YAML.
    (folder / "settings.yaml").write_text(json.dumps(settings))
    (folder / "users.yaml").write_text(json.dumps({"config_version": 1, "users": users}))
    names = " or ".join(PEOPLE)
    print(f"Birch’s login is at {ISSUER}: sign in as {names}, with the password {PASSWORD}.")
    print("Now start the demo and sign in as kim@birch.example (Ctrl+C stops this).", flush=True)
    command = [sys.executable, "-m", "nanoidp", "--config", str(folder), "--profile", "dev"]
    os.execv(sys.executable, command)  # noqa: S606 # no shell is wanted
    return 0


if __name__ == "__main__":
    sys.exit(main())
