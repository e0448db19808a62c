"""Pure decisions: what a definition says, what a value may be, who comes next and when it is due."""
