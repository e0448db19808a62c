"""Pure decisions of pages: how numbers read, how charts are drawn, what a list's address means."""
