"""URLs as keys: how a host is spelled (`host_key`), the SURT key of the capture index (`surt`), and the body of a POST as part of a URL."""
