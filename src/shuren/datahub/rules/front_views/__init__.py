"""Views of front databases of other departments: what they are called, what their columns hold, what changed in them."""
