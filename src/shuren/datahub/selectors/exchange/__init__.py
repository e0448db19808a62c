"""What is known of other installations, agreements and packets, for those who may see it."""
