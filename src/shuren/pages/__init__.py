"""Lists, filters, exports, charts and PDF: the parts that every page is made of."""
