"""The portal's pages: each composes what the apps below offer."""
