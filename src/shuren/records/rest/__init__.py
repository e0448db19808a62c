"""What programs of signed-in people ask of learning: courses by cmi5, and how classes and pupils learn."""
