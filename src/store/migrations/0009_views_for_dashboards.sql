-- What dashboards outside of meter95 read: names instead of numbers, the newest revision of everything, and figures by the
-- rules of SPEC.md. Tables may change with any version; a column of these views stays what it is, or gets another name.

-- The entries of the inventory in force: of each version those of one writer, of each entry the newest.
CREATE VIEW IF NOT EXISTS inventory_now AS
SELECT kind, id, argMax(entry.body, entry.version) AS body
FROM (
    SELECT version, kind, id, body, removed FROM inventory
    WHERE (version, at, by) IN (
        SELECT version, tupleElement(min((at, by)) AS first, 1), tupleElement(first, 2) FROM inventory GROUP BY version
    )
) AS entry
GROUP BY kind, id
HAVING argMax(entry.removed, entry.version) = 0;

-- Each plan, and what takes its place from when on, in the order in which they follow each other.
CREATE VIEW IF NOT EXISTS plan_chain AS
WITH RECURSIVE
plans AS (
    SELECT
        id,
        ifNull(JSONExtract(body, 'allowance_bps', 'Nullable(UInt64)'), 1000000) AS allowance_bps,
        if(JSONExtractString(body, 'method') = '', 'max', JSONExtractString(body, 'method')) AS method,
        if(JSONExtractString(body, 'missing') = '', 'zero', JSONExtractString(body, 'missing')) AS missing,
        JSONExtractString(body, 'replaced_by', 'plan') AS next_plan,
        toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(body, 'replaced_by', 'from'), 'UTC')) AS next_s
    FROM inventory_now WHERE kind = 'plan'
    UNION ALL
    SELECT 'default', 1000000, 'max', 'zero', '', 0
    WHERE 'default' NOT IN (SELECT id FROM inventory_now WHERE kind = 'plan')
),
chain AS (
    SELECT id AS plan, toUInt32(0) AS from_s, toUInt32(0) AS step, id AS effective, allowance_bps, method, missing,
        next_plan, next_s
    FROM plans
    UNION ALL
    SELECT chain.plan, greatest(chain.from_s, chain.next_s), chain.step + 1, plans.id, plans.allowance_bps, plans.method,
        plans.missing, plans.next_plan, plans.next_s
    FROM chain INNER JOIN plans ON plans.id = chain.next_plan
    WHERE chain.step < 100
)
SELECT plan, from_s, step, effective, allowance_bps, method, missing FROM chain;

-- The servers of the inventory in force. `plan_steps` has the second from which each plan counts, how deep it stands in
-- its chain, what it grants, its method and what missing slots count as; `grants` the second from which what is granted in
-- all, with add-ons, is so many bit/s. Times are Unix seconds; 0 and 4294967295 where there is none.
CREATE VIEW IF NOT EXISTS server_terms AS
WITH
entries AS (
    SELECT
        id AS server,
        JSONExtractString(body, 'customer') AS customer,
        JSONExtractString(body, 'region') AS region,
        toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(body, 'service_start'), 'UTC')) AS service_from_s,
        if(JSONExtractString(body, 'service_end') = '', toUInt32(4294967295),
            toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(body, 'service_end'), 'UTC'))) AS service_until_s,
        arrayMap(addon -> (
            toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(addon, 'from'), 'UTC')),
            if(JSONExtractString(addon, 'until') = '', toUInt32(4294967295),
                toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(addon, 'until'), 'UTC'))),
            JSONExtractUInt(addon, 'bps')
        ), JSONExtractArrayRaw(body, 'addons')) AS addons,
        arraySort(choice -> choice.1, arrayConcat(
            [(toUInt32(0), if(JSONExtractString(body, 'plan') = '', 'default', JSONExtractString(body, 'plan')))],
            arrayMap(change -> (
                toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(change, 'from'), 'UTC')),
                JSONExtractString(change, 'plan')
            ), JSONExtractArrayRaw(body, 'plan_changes'))
        )) AS choices
    FROM inventory_now WHERE kind = 'server'
),
chosen AS (
    SELECT server, choice.1 AS from_s, choice.2 AS plan, until_s
    FROM entries
    ARRAY JOIN
        choices AS choice,
        arrayPushBack(arrayMap(choice -> choice.1, arrayPopFront(choices)), toUInt32(4294967295)) AS until_s
),
stepped AS (
    SELECT
        chosen.server AS server,
        arraySort(groupArray((greatest(chosen.from_s, plan_chain.from_s), plan_chain.step, plan_chain.effective,
            plan_chain.allowance_bps, plan_chain.method, plan_chain.missing))) AS plan_steps
    FROM chosen INNER JOIN plan_chain ON plan_chain.plan = chosen.plan
    WHERE greatest(chosen.from_s, plan_chain.from_s) < chosen.until_s
    GROUP BY server
)
SELECT
    entries.server AS server, servers.server_id AS server_id, entries.customer AS customer, entries.region AS region,
    entries.service_from_s AS service_from_s, entries.service_until_s AS service_until_s,
    stepped.plan_steps AS plan_steps,
    arrayMap(edge -> (edge, tupleElement(arrayLast(step -> step.1 <= edge, plan_steps), 4) + arraySum(addon ->
        if(addon.1 <= edge AND edge < addon.2, addon.3, 0), entries.addons)),
        arraySort(arrayDistinct(arrayConcat([toUInt32(0)], arrayMap(step -> step.1, plan_steps),
            arrayMap(addon -> addon.1, entries.addons), arrayMap(addon -> addon.2, entries.addons))))) AS grants
FROM entries
INNER JOIN stepped ON stepped.server = entries.server
INNER JOIN (SELECT id, min(server_id) AS server_id FROM servers GROUP BY id) AS servers ON servers.id = entries.server;

-- Every sample that counts (SPEC.md section 4), with what was granted at its slot's start.
CREATE VIEW IF NOT EXISTS server_slots AS
SELECT
    terms.server AS server, terms.customer AS customer, terms.region AS region,
    samples.server_id AS server_id, samples.slot AS slot,
    samples.in_bps AS in_bps, samples.out_bps AS out_bps, greatest(samples.in_bps, samples.out_bps) AS value_bps,
    samples.state = 'partial' AS partial,
    tupleElement(arrayLast(grant -> grant.1 <= toUnixTimestamp(samples.slot), terms.grants), 2) AS allowance_bps
FROM (SELECT * FROM samples FINAL WHERE state != 'withdrawn') AS samples
INNER JOIN (SELECT server, customer, region, server_id, grants, service_from_s, service_until_s FROM server_terms) AS terms
    ON terms.server_id = samples.server_id
WHERE toUnixTimestamp(samples.slot) >= terms.service_from_s AND toUnixTimestamp(samples.slot) < terms.service_until_s;

-- The beginning and end of a month in the billing time zone, as in `SELECT * FROM month_span(period = '2026-11')`.
CREATE VIEW IF NOT EXISTS month_span AS
WITH
(SELECT if(max(JSONExtractString(body, 'timezone')) = '', 'Asia/Tokyo', max(JSONExtractString(body, 'timezone')))
    FROM inventory_now WHERE kind = 'settings') AS zone,
toDateTime(concat({period:String}, '-01 00:00:00'), zone) AS begins
SELECT
    zone AS timezone,
    toUInt32(intDiv(toUnixTimestamp(begins) + 299, 300) * 300) AS from_s,
    toUInt32(intDiv(toUnixTimestamp(addMonths(begins, 1)) + 299, 300) * 300) AS until_s;

-- The figures of servers for a month, so far or for good (SPEC.md sections 5 to 7), as in
-- `SELECT * FROM month_usage(period = '2026-11', servers = '^web01$')`; an empty expression is all of them. The p95 is by nearest rank over all slots that have closed: the value at
-- place floor(E/20) + 1 from the top, slots without a sample as 0 or, by plan, left out.
CREATE VIEW IF NOT EXISTS month_usage AS
WITH
(SELECT (from_s, until_s) FROM month_span(period = {period:String})) AS span,
toUInt32(intDiv(toUnixTimestamp(now()) - 600, 300) * 300) AS grace_over_s,
terms AS (
    SELECT
        server, server_id, customer, region, grants,
        greatest(span.1, toUInt32(intDiv(toUInt64(service_from_s) + 299, 300) * 300)) AS first_s,
        greatest(first_s, toUInt32(least(toUInt64(span.2), intDiv(toUInt64(service_until_s) + 299, 300) * 300))) AS until_s,
        -- What there is one of for a month is the plan's that is in force in its last slot.
        arrayLast(step -> step.1 <= greatest(until_s, first_s + 300) - 300, plan_steps) AS last_step,
        last_step.3 AS plan, last_step.5 AS method, last_step.6 AS missing
    FROM server_terms
),
ranked AS (
    SELECT
        server_id, count() AS samples, max(slot) AS last_slot, countIf(one > granted OR other > granted) AS bursts,
        groupArraySorted(448)(bitNot(one)) AS ones,
        groupArraySortedIf(448)(bitNot(other), other > 0) AS others,
        groupArraySortedIf(448)(bitNot(toUInt64(one - granted)), one > granted) AS one_excess,
        groupArraySortedIf(448)(bitNot(toUInt64(other - granted)), other > granted) AS other_excess
    FROM (
        SELECT
            slots.server_id AS server_id, slots.slot AS slot,
            toUInt64(multiIf(by = 0, greatest(in_bps, out_bps), by = 1, in_bps, by = 2, out_bps, by = 3, in_bps + out_bps, in_bps)) AS one,
            toUInt64(if(by = 4, out_bps, 0)) AS other,
            if(empty(changing), always,
                tupleElement(arrayLast(grant -> grant.1 <= toUnixTimestamp(slot), changing), 2)) AS granted
        FROM (
            SELECT server_id, slot, in_bps, out_bps FROM samples FINAL
            WHERE slot >= toDateTime(span.1) AND slot < toDateTime(span.2) AND state != 'withdrawn'
                AND server_id IN (SELECT server_id FROM servers WHERE match(id, {servers:String}))
        ) AS slots
        INNER JOIN (
            SELECT server_id, first_s, until_s, tupleElement(grants[1], 2) AS always,
                if(length(grants) = 1, arrayResize(grants, 0), grants) AS changing,
                toUInt8(indexOf(['in', 'out', 'sum', 'separate'], method)) AS by
            FROM terms
        ) AS counted ON counted.server_id = slots.server_id
        WHERE toUnixTimestamp(slot) >= first_s AND toUnixTimestamp(slot) < until_s
    )
    GROUP BY server_id
)
SELECT
    terms.server AS server, terms.customer AS customer, terms.region AS region,
    terms.plan AS plan, terms.method AS method, terms.missing AS missing,
    ranked.samples AS samples,
    intDiv(terms.until_s - terms.first_s, 300) AS expected,
    terms.first_s AS first_s,
    greatest(terms.first_s, least(terms.until_s,
        greatest(if(samples = 0, 0, toUnixTimestamp(ranked.last_slot) + 300), grace_over_s))) AS closed_until_s,
    intDiv(closed_until_s - terms.first_s, 300) AS expected_so_far,
    if(missing = 'exclude', samples, expected_so_far) AS ranked_slots,
    intDiv(ranked_slots, 20) AS discarded,
    if(samples = 0, NULL, greatest(
        if(length(ranked.ones) > discarded, bitNot(ranked.ones[discarded + 1]), 0),
        if(length(ranked.others) > discarded, bitNot(ranked.others[discarded + 1]), 0))) AS p95_bps,
    if(samples = 0, NULL, greatest(
        if(length(ranked.one_excess) > discarded, bitNot(ranked.one_excess[discarded + 1]), 0),
        if(length(ranked.other_excess) > discarded, bitNot(ranked.other_excess[discarded + 1]), 0))) AS overage_bps,
    tupleElement(arrayLast(grant -> grant.1 <= greatest(closed_until_s, terms.first_s + 300) - 300, terms.grants), 2)
        AS allowance_bps,
    intDiv(expected, 20) AS burst_slots,
    if(ranked.bursts > burst_slots, 0, burst_slots - ranked.bursts) AS burst_left_slots
FROM terms LEFT JOIN ranked ON ranked.server_id = terms.server_id
WHERE expected > 0 AND match(terms.server, {servers:String});

-- What shared lines carried in each slot, seen from the servers behind them: out leaves the region.
CREATE VIEW IF NOT EXISTS uplink_slots AS
SELECT
    uplinks.uplink AS uplink, uplinks.region AS region, uplinks.speed_bps AS speed_bps, slots.slot AS slot,
    intDiv(toUInt128(slots.rx_octets) * 8000, slots.covered_ms) AS in_bps,
    intDiv(toUInt128(slots.tx_octets) * 8000, slots.covered_ms) AS out_bps,
    100 * greatest(in_bps, out_bps) / uplinks.speed_bps AS load_percent
FROM (
    SELECT port_id, slot, rx_octets, tx_octets, covered_ms FROM port_slots FINAL WHERE covered_ms >= 150000
) AS slots
INNER JOIN (
    SELECT
        entry.id AS uplink, JSONExtractString(entry.body, 'region') AS region,
        JSONExtractUInt(entry.body, 'speed_bps') AS speed_bps, ports.port_id AS port_id,
        toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(entry.body, 'from'), 'UTC')) AS from_s,
        if(JSONExtractString(entry.body, 'until') = '', toUInt32(4294967295),
            toUInt32(parseDateTimeBestEffortOrZero(JSONExtractString(entry.body, 'until'), 'UTC'))) AS until_s
    FROM (SELECT id, body FROM inventory_now WHERE kind = 'uplink') AS entry
    INNER JOIN (SELECT device, interface, min(port_id) AS port_id FROM ports GROUP BY device, interface) AS ports
        ON ports.device = JSONExtractString(entry.body, 'device') AND ports.interface = JSONExtractString(entry.body, 'interface')
) AS uplinks ON uplinks.port_id = slots.port_id
WHERE uplinks.from_s <= toUnixTimestamp(slots.slot) AND toUnixTimestamp(slots.slot) < uplinks.until_s;

-- The newest revision of each statement, as it was issued or is held.
CREATE VIEW IF NOT EXISTS statements_now AS
SELECT
    period, server, newest.1 AS revision, newest.2 AS state, newest.3 AS customer, newest.4 AS region,
    JSONExtractString(newest.5 AS body, 'kind') AS kind,
    JSONExtractString(body, 'plan') AS plan,
    JSONExtractString(body, 'method') AS method,
    JSONExtractUInt(body, 'samples') AS samples,
    JSONExtractUInt(body, 'expected') AS expected,
    JSONExtractUInt(body, 'discarded') AS discarded,
    toDecimal64OrNull(JSONExtractString(body, 'coverage'), 4) AS coverage,
    JSONExtract(body, 'p95_bps', 'Nullable(UInt64)') AS p95_bps,
    JSONExtract(body, 'overage_bps', 'Nullable(UInt64)') AS overage_bps,
    JSONExtract(body, 'billable_bps', 'Nullable(UInt64)') AS billable_bps,
    toDecimal128OrNull(JSONExtractString(body, 'amount'), 4) AS amount,
    JSONExtractString(body, 'currency') AS currency,
    parseDateTimeBestEffortOrNull(JSONExtractString(body, 'issued_at'), 'UTC') AS issued_at,
    arrayStringConcat(JSONExtract(body, 'review', 'reasons', 'Array(String)'), '; ') AS reasons
FROM (
    SELECT period, server, argMax((revision, toString(state), customer, toString(region), statements.body), (revision, serial)) AS newest
    FROM statements GROUP BY period, server
);
