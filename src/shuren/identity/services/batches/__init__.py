"""First passwords for whole classes, schools and counties."""
