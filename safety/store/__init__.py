"""The record: tables, migrations and the queries on them."""
