"""The words: data elements, code sets, grades, owners and masking."""
