"""Run as a program: `python -m tests.faults.program NAME [ARGUMENT …]` runs a module of this folder in an installation.

Models can be imported only once Django knows its settings; it does here, so the modules import at their top.
"""

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()
    import_module(f"tests.faults.{sys.argv[1]}").main(*sys.argv[2:])
