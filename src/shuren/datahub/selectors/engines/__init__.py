"""What answers a question: DuckDB on this machine, or Spark on many."""
