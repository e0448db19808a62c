"""Reading what a OneRoster service of others answers, and writing it as rows of a roster file."""
