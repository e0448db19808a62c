"""What pages send out of the house: exports and printed pages."""
