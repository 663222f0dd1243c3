"""The commands that show the state of crawls, and tell of it."""
