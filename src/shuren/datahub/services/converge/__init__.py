"""Several sources of one fact: what they tell, which value holds, and what its owner says of it."""
