"""The capture index: one row per response, revisit or conversion record, as Parquet and as CDXJ.

In: captures (`from_capture.capture_row` makes a row of one). Out: the Parquet file of a segment (`rows.write_index`,
`rows.read_index`) and the CDXJ file of a closed run (`cdxj.write_cdxj`).
"""
