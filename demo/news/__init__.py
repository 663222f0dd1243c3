"""Two made-up news sites: stories, pages, feeds, and the ground truth."""
