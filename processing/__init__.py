"""UNDERSTAND: WARC -> clean, scored, deduplicated, validated rows."""
