"""The capture index: one row per response, revisit or conversion record, as Parquet and as CDXJ.

`rows.write_index` and `rows.read_index` are its file; `from_capture.capture_row` makes a row of a capture; `cdxj.write_cdxj` makes the CDXJ
file of a closed run.
"""
