"""Floor 3: how a message leaves the process. Knows no login rules and no store."""
