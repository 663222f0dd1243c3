"""When a URL is due again: `revisit` is the policy, without clock and I/O; `next_visit` applies it to a fetch within the YAML's bounds."""
