"""Read YAML files into models, bounded in size and depth; each mistake is named with its key and line.

Below `schemas.datasets` and `schemas.config`, whose models are read by it.
"""
