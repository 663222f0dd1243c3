"""The DAG files: what they hold, how light they are, and real runs."""

ANSWER = "ANSWER "  # begins the line in which `rundags` tells what became of an order
BEGUN = "TASK BEGINS "  # begins the line in which `rundags` tells that a task's body begins, and waits for a line of its input
