"""Definitions as they are written in YAML: forms, flows, registers, collections, service items, draws and packs."""
