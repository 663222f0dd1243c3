"""What is measured on: servers, made-up sites and crawls."""
