"""Jobs that survive a kill: lease, heartbeat, retry, progress and idempotency key."""
