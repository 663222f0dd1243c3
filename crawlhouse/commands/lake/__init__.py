"""The options and the help of the subcommands that read the lake, and of `takedown`."""
