"""What the commands on the lake do: process runs, held runs, quarantine, one URL."""
