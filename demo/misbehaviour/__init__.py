"""Everything that a crawler meets and that is not a good page, each at a URL of its own under /odd/."""
