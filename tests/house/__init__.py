"""The repository itself, tested: floors, names, sizes, captions, documents and languages."""
