"""Pure decisions: the registry as written, masks, and the checks of Chinese identifiers."""
