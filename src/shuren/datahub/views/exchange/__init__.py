"""Pages about the exchange with other installations, and the addresses at which they call."""
