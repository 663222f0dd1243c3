"""The options and the help of each subcommand of `crawlhouse`. `crawlhouse.command` lists them, `crawlhouse.actions` does their work.

These modules are imported by every start of the command, so they import nothing heavy at their top.
"""
