"""Floor 3: how a message leaves the house. Knows no login rules and no store."""
