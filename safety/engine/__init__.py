"""The engine: takes what shards report to the sirens first, then to the record."""
