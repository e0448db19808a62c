"""Words that templates of sign-in and account need."""
