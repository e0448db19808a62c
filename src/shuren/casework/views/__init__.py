"""Pages of casework: requests in, one service or selector, a page out."""
