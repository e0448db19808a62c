"""The door: portals per role, navigation, base templates and the `shuren` command."""
