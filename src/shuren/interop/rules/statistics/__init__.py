"""National statistics forms as templates: what a file says, which cell is counted how, what must balance."""
