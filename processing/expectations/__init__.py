"""Judge rows by expectations, with Great Expectations in a process of its own.

In: the rows of a process run, a batch per dataset and crawl run (`batches`), and measures of earlier runs (`drift`). Out: a
`suite_result.SuiteResult`. `expectations.judge_datasets` is the entry point; `suite_process` is the process. A row that breaks an
expectation of severity `warning` goes to quarantine; one of severity `critical` holds back the rows of its crawl run
(`processing.publish.dataset_gate`).
"""

from schemas.moved import former_module

__getattr__ = former_module(__name__, "processing.expectations.expectations")
