"""Gate and publish: validate the rows of a process run, then commit those of all tables together.

In: cleaned rows with their decisions (`processing.resolve`). Out: rows in the lake, and a report. `gate.gate_run` stages the rows of each
table and validates them (`dataset_gate` judges the rows of every dataset, `articles` too, and decides what goes to quarantine or is held
back); `publish.publish_run` commits them; `report.RunReport` says what came out.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.publish.publish")
