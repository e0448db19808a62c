"""Django's commands that this app does better."""
