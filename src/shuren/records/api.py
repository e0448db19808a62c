"""The face of learning records: sums and single statements out of the lake. Callers have checked who may see what."""

from shuren.records.selectors.lake import counts_by_day as counts_of_statements
from shuren.records.selectors.lake import stream_of_lines as statement_lines
from shuren.records.services.write_lake import write_due_days as write_statements

__all__ = ["counts_of_statements", "statement_lines", "write_statements"]
