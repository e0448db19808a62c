"""Pure decisions: how answers become estimates, estimates become reports, and what must be withheld."""
