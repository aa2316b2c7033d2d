"""SQLite, by the standard library: one file, shared by the processes of one machine."""
