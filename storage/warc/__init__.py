"""WARC files (ISO 28500:2017): captures in, records out.

`writer.SegmentWriter` writes a segment, `repair.repair` cuts the torn end of one whose writer died, `reader.read_records` reads any WARC
file, ours or not. `content_coding.decode_content` removes gzip, deflate, br and zstd from a body.
"""
