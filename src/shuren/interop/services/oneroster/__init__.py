"""The OneRoster 1.2 service: who reads, what they are told, and what apps write of marks."""
