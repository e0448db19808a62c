"""Software that runs a region's "Internet + Education" platform."""
