"""CONTRACTS: configuration, record types, table schemas, key layout, errors. No network, no engine."""
