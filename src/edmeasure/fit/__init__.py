"""Whether answers agree with the model: the test as a whole, items, pairs of items, persons."""
