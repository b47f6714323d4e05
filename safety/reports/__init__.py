"""The monthly report: one document, written as JSON, PDF, XLSX and page."""
