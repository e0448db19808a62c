"""What a command says and asks in a terminal: progress, findings, tables."""
