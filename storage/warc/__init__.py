"""WARC files (ISO 28500:2017): captures in, records out.

In: captures (`schemas.capture.Capture`). Out: WARC files, and captures from WARC files of anybody. Others call `writer.SegmentWriter`
(writes a segment), `repair.repair` (cuts the damaged end of a segment whose writer crashed), `reader.read_records` (reads any WARC file)
and `content_coding.decode_content` (removes gzip, deflate, br and zstd from a body). A record becomes one gzip member in
`records.member`; `member_decoders` is the way back, and `single_record` the short one for bytes that are one record.
"""
