"""The commands about a whole database: its tables, its file of everything, its secrets."""
