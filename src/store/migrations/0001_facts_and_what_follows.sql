-- Every insert is on the disk when it has been taken (fsync_*): a checkpoint never outlives what it stands for.

-- Numbers of ports and servers: 4 octets a row in the big tables instead of their names.
CREATE TABLE IF NOT EXISTS ports
(
    port_id UInt32,
    device String,
    interface String
)
ENGINE = ReplacingMergeTree
ORDER BY port_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS servers
(
    server_id UInt32,
    id String
)
ENGINE = ReplacingMergeTree
ORDER BY server_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What collectors saw. An acknowledged reading is here, and on the disk.
CREATE TABLE IF NOT EXISTS readings
(
    port_id UInt32 CODEC(Delta, ZSTD(1)),
    time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    rx_octets UInt64 CODEC(Delta, ZSTD(1)),
    tx_octets UInt64 CODEC(Delta, ZSTD(1)),
    width UInt8 CODEC(ZSTD(1)),
    uptime_cs Nullable(UInt32) CODEC(Delta, ZSTD(1)),
    discontinuity_cs Nullable(UInt32) CODEC(ZSTD(1)),
    rx_packets Nullable(UInt64) CODEC(Delta, ZSTD(1)),
    tx_packets Nullable(UInt64) CODEC(Delta, ZSTD(1)),
    speed_bps Nullable(UInt64) CODEC(ZSTD(1)),
    -- The batch with which it came; batches are numbered upwards.
    batch UInt64 CODEC(Delta, ZSTD(1)),
    INDEX batches batch TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (port_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What each port carried in each slot, as the interface counts (SPEC.md section 3).
CREATE TABLE IF NOT EXISTS port_slots
(
    port_id UInt32 CODEC(Delta, ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    rx_octets UInt64 CODEC(T64('bit'), ZSTD(1)),
    tx_octets UInt64 CODEC(T64('bit'), ZSTD(1)),
    rx_packets UInt64 CODEC(T64('bit'), ZSTD(1)),
    tx_packets UInt64 CODEC(T64('bit'), ZSTD(1)),
    covered_ms UInt32 CODEC(T64('bit'), ZSTD(1)),
    -- 1 while more may follow, 2 when the slot is complete.
    revision UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(slot)
ORDER BY (port_id, slot)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What each server had in each slot (SPEC.md section 4).
CREATE TABLE IF NOT EXISTS samples
(
    server_id UInt32 CODEC(Delta, ZSTD(1)),
    slot DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    in_bps UInt64 CODEC(T64('bit'), ZSTD(1)),
    out_bps UInt64 CODEC(T64('bit'), ZSTD(1)),
    state Enum8('full' = 0, 'partial' = 1, 'withdrawn' = 2) CODEC(ZSTD(1)),
    revision UInt16 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(slot)
ORDER BY (server_id, slot)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Why two readings gave no delta, and what was left out (SPEC.md section 2).
CREATE TABLE IF NOT EXISTS breaks
(
    port_id UInt32,
    time DateTime64(3, 'UTC'),
    kind LowCardinality(String),
    cause LowCardinality(String),
    time_before DateTime64(3, 'UTC'),
    rx_octets_before UInt64,
    tx_octets_before UInt64,
    rx_octets UInt64,
    tx_octets UInt64,
    rx_octets_left_out Nullable(UInt64),
    tx_octets_left_out Nullable(UInt64)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (port_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The inventory's entries, every version of them; nothing is overwritten.
CREATE TABLE IF NOT EXISTS inventory
(
    version UInt64,
    at DateTime64(3, 'UTC'),
    by String,
    kind LowCardinality(String),
    id String,
    body String,
    removed UInt8
)
ENGINE = MergeTree
ORDER BY (kind, id, version)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- How far what follows from readings has been stored; what was written last counts.
CREATE TABLE IF NOT EXISTS checkpoints
(
    name LowCardinality(String),
    value UInt64,
    serial UInt64
)
ENGINE = ReplacingMergeTree(serial)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
