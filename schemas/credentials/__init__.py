"""Credentials in URLs and in the environment, and text for people without them."""
