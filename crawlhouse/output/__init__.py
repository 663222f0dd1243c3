"""Prints what people and programs read: tables, rows in several formats, reports as text, and the message of an error.

`console` has the functions that print, `row_formats` writes rows, and `failures.exit_code_of` runs a command and handles its errors.
"""
