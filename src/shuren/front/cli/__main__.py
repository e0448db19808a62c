"""`python -m shuren.front.cli` is the `shuren` command."""

from shuren.front.cli.main import main

main()
