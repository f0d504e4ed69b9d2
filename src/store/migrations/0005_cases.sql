-- Everything that was done about servers that use far more than they should, by whom and why; only ever added to. What a
-- case is follows from its steps.
CREATE TABLE IF NOT EXISTS case_steps
(
    -- Among all steps, from 1.
    serial UInt64,
    case_id UInt64,
    -- Within the case, from 1.
    number UInt32,
    at DateTime64(3, 'UTC'),
    by String,
    kind LowCardinality(String),
    server String,
    why String,
    body String CODEC(ZSTD(3)),
    INDEX by_serial serial TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (case_id, number)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
