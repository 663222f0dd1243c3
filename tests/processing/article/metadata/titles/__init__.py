"""The title of a page, as its site writes it and as readers see it."""
