"""The worker of the delivery queue: jobs are claimed, tried in their turn, and settled."""
