"""What one stage hands to the next: Parquet in the store under the process run's name."""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.staging.staging")
