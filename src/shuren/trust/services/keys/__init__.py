"""Keys that sign: made, kept in one of four places, used, turned over, taken back."""
