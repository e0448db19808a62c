"""The dataset of three schools that sharing is tested with: each officer finds the rows of their own."""

from shuren.datahub.tests.sharing.conftest import play

__all__ = ["play"]
