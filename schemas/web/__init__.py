"""What the web's own rules say, read once for all folders: robots directives, media types, default ports, and dates as lists write them."""
