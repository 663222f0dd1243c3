"""An example of a package that adds a dataset, a step and a command to crawlhouse."""
