"""The query workbench: what is ticked as SQL, what an answer shows, and when a question is due."""
