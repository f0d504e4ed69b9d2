-- Alerts, a row for each time that one was raised; what was written last counts. They stay: a site has few.
CREATE TABLE IF NOT EXISTS alerts
(
    source LowCardinality(String),
    key String,
    raised_at DateTime64(3, 'UTC'),
    cleared_at Nullable(DateTime64(3, 'UTC')),
    kind LowCardinality(String),
    severity LowCardinality(String),
    labels Map(String, String),
    summary String,
    details String CODEC(ZSTD(3)),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, key, raised_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What is carried out: events and letters, and where each goes. They are numbered in the order in which they were put.
CREATE TABLE IF NOT EXISTS events
(
    seq UInt64,
    id String,
    put_at DateTime64(3, 'UTC'),
    at DateTime64(3, 'UTC'),
    kind LowCardinality(String),
    severity LowCardinality(String),
    region LowCardinality(String),
    summary String,
    data String CODEC(ZSTD(3)),
    -- Of a letter: to whom, as JSON, and its text; else empty.
    recipient String,
    text String CODEC(ZSTD(3)),
    destinations Array(LowCardinality(String)),
    INDEX ids id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(put_at)
ORDER BY seq
TTL toDateTime(put_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1;

-- Every attempt to deliver one; the last attempt tells how a delivery stands, and one without any is to come. They stay
-- longer than the events, which would wait again without them.
CREATE TABLE IF NOT EXISTS deliveries
(
    destination LowCardinality(String),
    seq UInt64,
    attempt UInt32,
    at DateTime64(3, 'UTC'),
    outcome Enum8('joined' = 1, 'failed' = 2, 'delivered' = 3, 'refused' = 4, 'given_up' = 5),
    answer String CODEC(ZSTD(1)),
    -- When the next attempt is due, of one that failed.
    next_at DateTime64(3, 'UTC'),
    -- The message in which several go together; empty where each goes alone.
    lot String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (destination, seq, attempt)
TTL toDateTime(at) + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1;
