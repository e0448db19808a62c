"""Apps of others and how they plug in: registration, launches, provisioning, webhooks."""
