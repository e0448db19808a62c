"""Files in: findings, error workbooks, differences and the state of every import."""
