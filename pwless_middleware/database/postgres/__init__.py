"""PostgreSQL, by asyncpg: shared by any number of machines."""
