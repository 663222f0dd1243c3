"""Gate and publish: rows are judged, then committed to the lake together.

`gate.gate_run` splits off the quarantine and asks the expectation suite; `publish.publish_run` commits; `accounting` holds the equations.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.publish.publish")
