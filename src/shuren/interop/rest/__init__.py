"""What apps call: the cryptography service, and the management of their messages."""
