-- Samples that a later revision took the place of (SPEC.md section 4): `samples` forgets them at a merge, and a statement
-- stays provable from the samples of which it was made. Each is here before its successor is in `samples`. Of rows of one
-- revision the one that was written last counts: an earlier one was never in `samples`, for a crash came between.
CREATE TABLE IF NOT EXISTS samples_superseded
(
    server_id UInt32 CODEC(Delta, ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    in_bps UInt64 CODEC(T64('bit'), ZSTD(1)),
    out_bps UInt64 CODEC(T64('bit'), ZSTD(1)),
    state Enum8('full' = 0, 'partial' = 1, 'withdrawn' = 2) CODEC(ZSTD(1)),
    revision UInt16 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (server_id, slot, revision)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
