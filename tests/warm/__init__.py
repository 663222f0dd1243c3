"""Processes of ours that start warm: forked from one that has imported everything, where a cold one imports for seconds.

They are processes of their own all the same: children of whoever starts them, with their own arguments, environment, files and end.
The tests of whole stacks, of DAGs and of kills start them cold; `CRAWLHOUSE_TESTS_COLD=1` does so for all.
"""
