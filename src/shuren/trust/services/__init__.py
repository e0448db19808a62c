"""What proof does with the keys, the tables and the files of this installation."""
