"""CONTRACTS: configuration, record types, table schemas, key layout, errors. No network, no engine."""

from schemas.moved import keep_former_names

keep_former_names()
