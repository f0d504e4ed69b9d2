-- Answers to what was done under an Idempotency-Key, so that the same is not done twice. Whoever has no answer asks again
-- within minutes; two days are for a long weekend's queue.
CREATE TABLE IF NOT EXISTS answers
(
    -- A hash of who asked, for what, and under which key.
    id String,
    at DateTime64(3, 'UTC'),
    -- A hash of all that was asked.
    asked String,
    status UInt16,
    kind LowCardinality(String),
    body String CODEC(ZSTD(3)),
    -- By the clock of the machine that keeps them.
    kept_at DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(kept_at)
ORDER BY id
TTL kept_at + INTERVAL 2 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1;
