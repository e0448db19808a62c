"""A synthetic province: how many schools of which size stand where, and what its invented people are called."""
