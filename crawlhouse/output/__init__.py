"""What people read: the console, tables and formats of rows, reports as text, and how errors end a command."""
