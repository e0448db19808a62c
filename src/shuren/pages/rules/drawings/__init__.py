"""The drawings by kind: each takes a chart and answers its shapes and its height."""
