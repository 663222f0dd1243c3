"""The DAG files: what they hold, how light they are, and real runs."""

ANSWER = "ANSWER "  # begins the line in which `rundags` tells what became of an order
