"""Pure rules of certificates: their numbers, their words, and credentials that prove themselves."""
