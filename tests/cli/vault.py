"""A feature for tests that keeps secrets of people in a file, encrypted."""

from __future__ import annotations

import json
from pathlib import Path

from pwless_middleware.kit import Kit, Mounted

FILE = Path("vault.json")


class Vault:
    """Keep secrets in `vault.json` of the current folder."""

    def mount(self, kit: Kit) -> Mounted:
        """Add what encrypts them anew."""
        self._secrets = kit.secrets
        return Mounted(rewrap=self.rewrap)

    def put(self, who: str, secret: str) -> None:
        """Keep a secret."""
        rows = self._rows()
        rows[who] = self._secrets.encrypt("seed", who, secret.encode()).hex()
        FILE.write_text(json.dumps(rows))

    def read(self, who: str) -> str | None:
        """Return a secret, or `None` if it cannot be decrypted."""
        found = self._secrets.decrypt("seed", who, bytes.fromhex(self._rows()[who]))
        return found.secret.decode() if found is not None else None

    async def rewrap(self) -> int:
        """See `Mounted.rewrap`."""
        count = 0
        for who, stored in self._rows().items():
            found = self._secrets.decrypt("seed", who, bytes.fromhex(stored))
            if found is not None and not found.is_current:
                self.put(who, found.secret.decode())
                count += 1
        return count

    def _rows(self) -> dict[str, str]:
        return dict(json.loads(FILE.read_text())) if FILE.exists() else {}
