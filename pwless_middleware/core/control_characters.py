r"""Characters that no reader sees, as parts of a character class: `re.compile(f"[{CONTROL}]")`.

Written with `\u`, which means the same in Python and in JSON Schema (ECMA-262 §22.2.1).
"""

from __future__ import annotations

CONTROL = r"\u0000-\u001f\u007f-\u009f"
"""The control characters of Unicode (category Cc): C0, DELETE and C1."""
LINE_ENDS = r"\u2028\u2029"
"""Line and paragraph separator, which end a line for some readers as a newline does."""
BIDI = r"\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates (UAX #9 §2): they show text in another order."""
