"""Kill and chaos tests: `make chaos`."""
