"""The ground everybody stands on: ids, clock, errors, events, audit, scope and paging."""
