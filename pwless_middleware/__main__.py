"""Start the command line: `python -m pwless_middleware`, the same as `pwless`."""

from __future__ import annotations

from pwless_middleware.cli.main import main

raise SystemExit(main())
