"""Judge rows by expectations, with Great Expectations in a process of its own.

In: the rows of a process run, a batch per dataset and crawl run (`batches`), and measures of earlier runs (`drift`). Out: a
`suite_result.SuiteResult`. `expectations.Judge` is the door; `suite_process` is the process.
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.expectations.expectations")
