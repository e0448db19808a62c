"""What cmi5 1.0 asks of a course, of a launch, and of what an assignable unit says within its session."""
