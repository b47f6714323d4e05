"""The site as one document: specification, YAML, and its copy in the database."""
