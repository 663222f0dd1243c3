"""The DAG files: what they hold, how light they are, and real runs."""
