-- Tokens by which callers are known. Of a secret only its hash is here. A row for each, and a newer one where it was
-- revoked; none is ever deleted, for a site where a token was made is never open again.
CREATE TABLE IF NOT EXISTS tokens
(
    id String,
    name String,
    -- What it is proved by, and the SHA-256 of that in hexadecimal digits.
    proof Enum8('secret' = 1, 'certificate' = 2),
    sha256 String,
    role LowCardinality(String),
    -- To what it is limited; empty: not.
    customer String,
    region String,
    collector String,
    created_at DateTime64(3, 'UTC'),
    created_by String,
    expires_at Nullable(DateTime64(3, 'UTC')),
    revoked_at Nullable(DateTime64(3, 'UTC')),
    revoked_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Everything that was done, by whom, through what and from where; only ever added to. An act has two rows: what was
-- about to be done, and what came of it. Where the second is missing, nobody knows.
CREATE TABLE IF NOT EXISTS audit
(
    -- Of the act. In the order of time: its first 12 digits are when, in Unix ms, the others are chance.
    id String,
    phase Enum8('intent' = 1, 'outcome' = 2),
    at DateTime64(3, 'UTC'),
    -- Who it is said to be by, and by which token, or which user of the system.
    by String,
    who String,
    through Enum8('api' = 1, 'command' = 2, 'service' = 3),
    origin String,
    request String,
    action LowCardinality(String),
    target String,
    -- As JSON; `null` where there is nothing to tell.
    before String CODEC(ZSTD(3)),
    after String CODEC(ZSTD(3)),
    -- Of an outcome: empty where it was done, else why not.
    refusal String CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toYear(at)
ORDER BY (id, phase)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
