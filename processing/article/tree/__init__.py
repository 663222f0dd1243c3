"""The parsed page: the one parse, and the text that a reader sees."""
