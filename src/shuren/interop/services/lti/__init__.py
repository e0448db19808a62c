"""LTI 1.3 Advantage: we are the platform, apps of the register are the tools."""
