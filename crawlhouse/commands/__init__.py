"""The subcommands of `crawlhouse`, one module each; `crawlhouse.command` puts them together."""
