"""Sharing datasets between units: terms, applications, decisions, and every use of what was granted."""
