"""Items that work differently for groups of equal ability, and what of a scale holds across groups."""
