"""Runs code with limits: mostly child processes that can be killed, for everything that parses bytes from the web.

`child` starts a child process and says why it ended; `forked_child` forks some before there are threads; `child_process` is the code inside
of one; `frames` and `child_results` carry data between the two, never code. `spiders` reads responses in such children, `processing` reads
pages. Also here: `patterns` (regular expressions of users, with a time limit), `user_modules` (spiders and functions of users), `scratch`
(temporary folders), `code_version`, `command_line` and `failpoint` (for kill tests).
"""
