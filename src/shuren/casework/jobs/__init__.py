"""Work that casework does on its own: timers, issues, urges and exports."""

from shuren.casework.jobs import catalogue, flows, hall, people, registers, tallies

__all__ = ["catalogue", "flows", "hall", "people", "registers", "tallies"]
