"""The life of data after it was written: rules, holds, the archive, and destruction with its certificate."""
