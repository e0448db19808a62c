"""Learning records: what people did and reached, told by apps in the words of xAPI, and kept."""
