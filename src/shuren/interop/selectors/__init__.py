"""Reads of the register: vendors, apps, what an org may choose and has chosen, messages, usage."""
