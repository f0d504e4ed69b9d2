-- Statements, each as the JSON that was issued. A held one is replaced by the one that is issued in its place; an issued
-- one is never written again.
CREATE TABLE IF NOT EXISTS statements
(
    period LowCardinality(String),
    server String,
    revision UInt32,
    state Enum8('held' = 0, 'issued' = 1, 'withdrawn' = 2),
    customer String,
    region LowCardinality(String),
    body String CODEC(ZSTD(3)),
    -- From the number of the act by which it was written; the highest counts.
    serial UInt64
)
ENGINE = ReplacingMergeTree(serial)
PARTITION BY period
ORDER BY (period, server, revision)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Everything that was done about closing, by whom and why; only ever added to.
CREATE TABLE IF NOT EXISTS closing_acts
(
    serial UInt64,
    at DateTime64(3, 'UTC'),
    by String,
    act LowCardinality(String),
    period LowCardinality(String),
    server String,
    reason String,
    body String
)
ENGINE = MergeTree
ORDER BY serial
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
