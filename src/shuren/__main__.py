"""`python -m shuren` is the `shuren` command."""

from shuren.front.cli.main import main

main()
