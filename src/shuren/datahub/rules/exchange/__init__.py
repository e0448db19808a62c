"""Exchange between installations, as pure decisions: letters, packets, differences and checks."""
