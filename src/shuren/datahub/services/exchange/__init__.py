"""Exchange between installations: nodes, agreements, packets, and who carries them."""
