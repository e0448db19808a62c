"""Writes of the queue: put in, claim, run, finish, and the loop around them."""
