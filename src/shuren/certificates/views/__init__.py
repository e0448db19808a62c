"""Pages of certificates and of what proves them."""
