"""The `shuren` command: one file per subcommand, loaded only when it is called."""
