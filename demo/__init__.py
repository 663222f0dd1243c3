"""A bundled site to crawl, written for the project, with ground truth and every misbehaviour at a URL of its own."""
