"""`python -m pwless_middleware`: the command line. Importing this module runs it."""

from __future__ import annotations

import sys

from pwless_middleware.cli.main import main

sys.exit(main())
