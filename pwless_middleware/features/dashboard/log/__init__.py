"""The log: what happened, in sentences, by attempt."""
