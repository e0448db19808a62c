"""The stage of interop's own tests, and apps that call with tokens."""

from shuren.interop.tests.conftest import server, stage

__all__ = ["server", "stage"]
