"""Adaptive and multistage tests: the next item or module, and how such tests would go for many."""
