"""What the commands do that show the state of crawls, and tell of it."""
