"""URLs before they are asked for: one spelling per page (`canonical`), which belong to the crawl (`scope`), which never end (`traps`)."""
