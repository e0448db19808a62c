"""What a roster file must look like, which rows of it are wrong, and how a row's fingerprint is taken."""
