-- How each collector stood when it was last heard of (SPEC.md section 8); what came last counts.
CREATE TABLE IF NOT EXISTS collectors
(
    name String,
    -- By the service's clock.
    at DateTime64(3, 'UTC'),
    unsent UInt64,
    oldest_unsent Nullable(DateTime64(3, 'UTC')),
    stopped UInt8,
    -- Who took it out of account, at `at`; empty for a report of its own.
    forgotten_by String
)
ENGINE = ReplacingMergeTree(at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
