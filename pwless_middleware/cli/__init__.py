"""The command line: `secret`, `check`, `run`. It reads the environment; the library never does."""
