//! The dashboards for Grafana: every query of every panel, variable, annotation and alert rule is put to a real store by the
//! user who may only read, as Grafana's plugin would put it, and says what the product itself says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meter95_reading::Timestamp;
use serde_json::{Value, json};

use crate::limit::Demo;
use crate::support;

const CLICKHOUSE: &str = "grafana-clickhouse-datasource";
const PASSWORD: &str = "read, and nothing else";
/// How long may pass until the store has what the live state has.
const PATIENCE: Duration = Duration::from_secs(60);
/// Counters that are there from the first time on that something went wrong.
const OF_FAILURES: [&str; 4] = [
    "meter95_snmp_failures_total",
    "meter95_readings_refused_total",
    "meter95_engine_restarts_total",
    "meter95_deliveries_total",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap()
}

fn boards() -> Vec<Value> {
    let names = ["billing", "collectors", "fleet", "server"];
    let found = std::fs::read_dir(folder().join("grafana/dashboards")).unwrap().count();
    assert_eq!(found, names.len(), "a dashboard that is not tested");
    names
        .iter()
        .map(|name| serde_json::from_str(&read(&format!("grafana/dashboards/{name}.json"))).unwrap())
        .collect()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What stands after `key:` on each line of a YAML file, where it is a string in double quotes.
fn quoted(yaml: &str, key: &str) -> Vec<String> {
    let lines = yaml.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
    lines.map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// A query with what it is called.
struct Asked {
    name: String,
    sql: String,
    /// Columns that the panel speaks of.
    columns: Vec<String>,
}

/// Every query to ClickHouse.
fn queries() -> Vec<Asked> {
    let mut all = Vec::new();
    for board in boards() {
        let title = board["title"].as_str().unwrap();
        for variable in list(&board, "/templating/list").iter().filter(|v| v["type"] == "query") {
            let name = format!("{title}: ${}", variable["name"]);
            all.push(Asked {
                name,
                sql: variable["query"].as_str().unwrap().to_owned(),
                columns: Vec::new(),
            });
        }
        for annotation in list(&board, "/annotations/list") {
            if let Some(sql) = annotation.pointer("/target/rawSql") {
                let name = format!("{title}: {}", annotation["name"]);
                let columns = vec!["time".to_owned(), "text".to_owned()];
                all.push(Asked { name, sql: sql.as_str().unwrap().to_owned(), columns });
            }
        }
        for panel in list(&board, "/panels") {
            let overrides = list(panel, "/fieldConfig/overrides").iter();
            let by_name = overrides.filter(|over| over["matcher"]["id"] == "byName");
            let named = by_name.map(|over| over["matcher"]["options"].as_str().unwrap().to_owned());
            let x = panel.pointer("/options/xField").filter(|_| panel["transformations"].is_null());
            let columns: Vec<String> =
                named.chain(x.map(|field| field.as_str().unwrap().to_owned())).collect();
            for target in list(panel, "/targets").iter().filter(|target| !target["rawSql"].is_null()) {
                let name = format!("{title}: {}", panel["title"]);
                let mut columns = columns.clone();
                // A time series needs its time.
                columns.extend((target["format"] == 0).then(|| "time".to_owned()));
                all.push(Asked { name, sql: target["rawSql"].as_str().unwrap().to_owned(), columns });
            }
        }
    }
    for (n, sql) in
        quoted(&read("grafana/provisioning/alerting/meter95.yaml"), "rawSql").into_iter().enumerate()
    {
        all.push(Asked { name: format!("alert rule {n}"), sql, columns: Vec::new() });
    }
    assert!(all.len() > 30, "{}", all.len());
    all
}

/// What is chosen on a dashboard: `None` for all.
type Chosen = BTreeMap<&'static str, Option<Vec<String>>>;

/// The query as the plugin sends it: variables and macros replaced, for three days until now in steps of an hour.
fn expanded(sql: &str, chosen: &Chosen, now: Timestamp) -> String {
    const STEP_S: i64 = 3_600;
    let (from, to) = (now.0 / 1_000 - 3 * 86_400, now.0 / 1_000);
    let mut sql = sql.to_owned();
    while let Some((before, name, after)) = call(&sql, "$__conditionalAll") {
        let (condition, variable) = name.rsplit_once(',').unwrap();
        let all = chosen[variable.trim().trim_start_matches('$')].is_none();
        sql = format!("{before}{}{after}", if all { "1=1" } else { condition });
    }
    for (name, values) in chosen {
        let values = values.iter().flatten().map(|value| format!("'{}'", value.replace('\'', "\\'")));
        sql = sql.replace(&format!("${{{name}:singlequote}}"), &values.collect::<Vec<_>>().join(","));
    }
    while let Some((before, column, after)) = call(&sql, "$__timeFilter") {
        sql = format!("{before}{column} >= toDateTime({from}) AND {column} <= toDateTime({to}){after}");
    }
    while let Some((before, column, after)) = call(&sql, "$__timeInterval") {
        sql = format!("{before}toStartOfInterval(toDateTime({column}), INTERVAL {STEP_S} second){after}");
    }
    sql = sql.replace("$__interval_s", &STEP_S.to_string());
    assert!(!sql.contains("$__") && !sql.contains("${"), "not replaced: {sql}");
    sql
}

/// What stands before a macro, in its parentheses, and after them.
fn call(sql: &str, name: &str) -> Option<(String, String, String)> {
    let start = sql.find(&format!("{name}("))?;
    let open = start + name.len();
    let mut depth = 0;
    let close = sql[open..].char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        (depth == 0).then_some(open + at)
    })?;
    Some((sql[..start].to_owned(), sql[open + 1..close].to_owned(), sql[close + 1..].to_owned()))
}

/// ClickHouse as Grafana reaches it.
struct Reader {
    url: String,
}

impl Reader {
    fn of(data_dir: &Path) -> Self {
        let endpoint = std::fs::read(data_dir.join("engine/endpoint.json")).unwrap();
        let endpoint: Value = serde_json::from_slice(&endpoint).unwrap();
        Self { url: endpoint["url"].as_str().unwrap().to_owned() }
    }

    /// The answer to a query with this user's password and these parameters besides; as the plugin asks over TLS, which
    /// ends before ClickHouse.
    async fn ask(&self, sql: &str, password: &str, more: &str) -> (bool, String) {
        let url = format!("{}/?database=meter95&max_execution_time=65{more}", self.url);
        let request = reqwest::Client::new().post(url).header("X-ClickHouse-User", "meter95_reader");
        let request =
            request.header("X-ClickHouse-Key", password).header("X-ClickHouse-SSL-Certificate-Auth", "off");
        let answer = request.body(sql.to_owned()).send().await.unwrap();
        (answer.status().is_success(), answer.text().await.unwrap())
    }

    /// Columns and rows.
    async fn rows(&self, sql: &str) -> (Vec<String>, Vec<Value>) {
        let sql = &format!("{sql} SETTINGS output_format_json_quote_64bit_integers = 0");
        let (ok, text) = self.ask(sql, PASSWORD, "&default_format=JSON").await;
        assert!(ok, "{text}\n{sql}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        let names = list(&answer, "/meta").iter().map(|column| column["name"].as_str().unwrap().to_owned());
        (names.collect(), list(&answer, "/data").to_vec())
    }
}

#[test]
fn dashboards_are_whole() {
    let mut uids = BTreeSet::new();
    for board in boards() {
        let uid = board["uid"].as_str().unwrap();
        assert!(uid.starts_with("meter95-") && uids.insert(uid.to_owned()), "{uid}");
        let mut ids = BTreeSet::new();
        let variables: BTreeSet<&str> =
            list(&board, "/templating/list").iter().map(|v| v["name"].as_str().unwrap()).collect();
        for panel in list(&board, "/panels") {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{uid}: two panels of one id");
            for described in ["title", "description"] {
                assert!(!panel[described].as_str().unwrap().is_empty(), "{uid}: {panel}");
            }
            let (x, w) = (panel["gridPos"]["x"].as_u64().unwrap(), panel["gridPos"]["w"].as_u64().unwrap());
            assert!(x + w <= 24, "{uid}: {} is too wide", panel["title"]);
            for place in list(panel, "/targets").iter().chain([panel]) {
                let (kind, of) = (&place["datasource"]["type"], &place["datasource"]["uid"]);
                let expected = if kind == CLICKHOUSE { "${datasource}" } else { "${prometheus}" };
                assert!(kind == CLICKHOUSE || kind == "prometheus", "{uid}: {kind}");
                assert_eq!(of, expected, "{uid}: {}", panel["title"]);
                assert!(variables.contains(expected.trim_matches(['$', '{', '}'])), "{uid} {expected}");
            }
        }
    }
    let provisioned = read("grafana/provisioning/datasources/meter95.yaml");
    for uid in ["meter95-clickhouse", "meter95-prometheus"] {
        assert!(provisioned.contains(&format!("uid: {uid}\n")), "{uid}");
    }
    let rules = read("grafana/provisioning/alerting/meter95.yaml");
    let sources = rules.lines().filter_map(|line| line.trim().strip_prefix("datasourceUid: "));
    assert!(sources.into_iter().all(|uid| ["meter95-clickhouse", "__expr__"].contains(&uid)));
    let rule_uids: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- uid: ")).collect();
    assert_eq!(rule_uids.iter().collect::<BTreeSet<_>>().len(), rule_uids.len());
    for Asked { name, sql, .. } in queries() {
        let small = sql.to_lowercase();
        for word in ["avg(", "quantile", "median"] {
            assert!(!small.contains(word), "{name} takes {word}");
        }
    }
}

/// `/v1/usage` by server, of what SQL tells too.
async fn usage(demo: &Demo, period: &str) -> BTreeMap<String, Value> {
    let answer: Value =
        serde_json::from_str(&demo.get(&format!("/v1/usage?period={period}&limit=1000")).await).unwrap();
    let figures = |row: &Value| {
        let fields = [
            "samples",
            "expected",
            "expected_so_far",
            "p95_bps",
            "overage_bps",
            "allowance_bps",
            "burst_slots",
            "burst_left_slots",
            "plan",
            "method",
            "customer",
            "region",
        ];
        Value::Object(fields.into_iter().map(|field| (field.to_owned(), row[field].clone())).collect())
    };
    // A server that was not in service is told by the product, and is not in the view.
    let rows = list(&answer, "/servers").iter().filter(|row| row["expected"] != 0);
    rows.map(|row| (row["server"].as_str().unwrap().to_owned(), figures(row))).collect()
}

/// That the view says what the product says of the month.
async fn agree(demo: &Demo, reader: &Reader, period: &str) -> BTreeMap<String, Value> {
    let since = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    let sql = format!("SELECT * FROM month_usage(period = '{period}', servers = '')");
    loop {
        looks.tick().await;
        let told = usage(demo, period).await;
        let (_, rows) = reader.rows(&sql).await;
        let rows: BTreeMap<String, Value> =
            rows.into_iter().map(|row| (row["server"].as_str().unwrap().to_owned(), row)).collect();
        let same = told.len() == rows.len()
            && told.iter().all(|(server, told)| {
                let fields = told.as_object().unwrap().iter();
                rows.get(server).is_some_and(|row| fields.clone().all(|(field, value)| row[field] == *value))
            });
        if same {
            return rows;
        }
        // A slot may have closed in between.
        assert!(since.elapsed() < PATIENCE, "{period}: {told:#?}\n{rows:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_says_what_the_product_says() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let data_dir = support::data_dir("grafana");
    std::fs::create_dir_all(&data_dir).unwrap();
    let (config, password) = (data_dir.join("meter95.toml"), data_dir.join("reader.password"));
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let place = password.display().to_string();
    std::fs::write(&config, format!("[clickhouse]\nreader_password_file = {}\n", json!(place))).unwrap();
    let demo = Demo::start(&data_dir, &["--config", &config.display().to_string()]);
    let reader = Reader::of(&data_dir);

    let closed = demo.said.iter().find_map(|line| line.split_once(" is closed: ")).unwrap().0.to_owned();
    let answer: Value = serde_json::from_str(&demo.get("/v1/usage").await).unwrap();
    let running = answer["period"].as_str().unwrap().to_owned();
    agree(&demo, &reader, &closed).await;
    let figures = agree(&demo, &reader, &running).await;
    // A server of which something is discarded.
    let (server, row) = figures.iter().find(|(_, row)| row["samples"].as_u64() > Some(0)).unwrap();

    let now = meter95::clock::now();
    let one = |value: &str| Some(vec![value.to_owned()]);
    let mut answers: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for Asked { name, sql, columns } in queries() {
        for (region, customer) in
            [(None, None), (one("tokyo"), Some(vec!["c001".to_owned(), "o'hara".to_owned()]))]
        {
            let first = region.is_none();
            let period = if name.contains("Billing") { &closed } else { &running };
            let chosen: Chosen = BTreeMap::from([
                ("region", region),
                ("customer", customer),
                ("server", one(server)),
                ("period", one(period)),
            ]);
            let (names, rows) = reader.rows(&expanded(&sql, &chosen, now)).await;
            for column in &columns {
                assert!(names.contains(column), "{name} speaks of {column:?}, and has {names:?}");
            }
            if first {
                answers.insert(name.clone(), rows);
            }
        }
    }
    let answer = |name: &str| answers.get(name).unwrap_or_else(|| panic!("{name} of {:?}", answers.keys()));

    // One server: the stat, the way of its p95, and what is discarded.
    let stat = &answer("meter95 / Server: \"Month to date\"")[0];
    let way = answer("meter95 / Server: \"p95 over the month\"").last().unwrap();
    let discarded = answer("meter95 / Server: \"Discarded slots\"").len() as u64;
    let sorted = answer("meter95 / Server: \"Samples by size\"");
    assert_eq!((&stat["p95_bps"], &way["p95"]), (&row["p95_bps"], &row["p95_bps"]), "{server}");
    assert_eq!(discarded, row["expected_so_far"].as_u64().unwrap() / 20, "{server}");
    assert_eq!(sorted.iter().find_map(|row| row["Counts"].as_u64()), row["p95_bps"].as_u64(), "{server}");

    // The fleet: who is over, and cases that are open.
    let over = figures.values().filter(|row| row["overage_bps"].as_u64() > Some(0)).count();
    let fleet = &answer("meter95 / Fleet: \"Month to date\"")[0];
    assert_eq!((fleet["servers"].as_u64(), fleet["above_allowance"].as_u64()), (Some(10), Some(over as u64)));
    assert!(over > 0 && !answer("meter95 / Fleet: \"Traffic by region\"").is_empty());
    assert!(!answer("meter95 / Fleet: \"Load of shared lines\"").is_empty());

    // What was issued, and its sums.
    let told: Value =
        serde_json::from_str(&demo.get(&format!("/v1/periods/{closed}/statements")).await).unwrap();
    let of = |state: &str| {
        list(&told, "/statements").iter().filter(|s| s["state"] == state).cloned().collect::<Vec<_>>()
    };
    let (issued, held) = (of("issued"), of("held"));
    assert_eq!(answer("meter95 / Billing: \"Issued\"")[0]["statements"], issued.len());
    assert_eq!(answer("meter95 / Billing: \"Held\"")[0]["statements"], held.len());
    assert_eq!(answer("meter95 / Billing: \"Held for review\"").len(), held.len());
    assert!(!held.is_empty() && !issued.is_empty());
    let amount = |s: &Value| s["amount"].as_str().map_or(0.0, |amount| amount.parse::<f64>().unwrap());
    for sum in answer("meter95 / Billing: \"Amounts of the month\"") {
        let of_currency: Vec<&Value> = issued.iter().filter(|s| s["currency"] == sum["currency"]).collect();
        let total: f64 = of_currency.iter().map(|s| amount(s)).sum();
        assert_eq!(sum["statements"], of_currency.len());
        assert!((sum["total"].as_f64().unwrap() - total).abs() < 0.001, "{sum} and {total}");
        assert_eq!(
            sum["billable"].as_u64().unwrap_or(0),
            of_currency.iter().filter_map(|s| s["billable_bps"].as_u64()).sum::<u64>()
        );
    }

    the_reader_reads_only(&reader).await;
    metrics_are_there(&demo).await;
}

/// What the reader may not do.
async fn the_reader_reads_only(reader: &Reader) {
    for (sql, password, more) in [
        ("SELECT 1", "wrong", ""),
        ("SELECT 1", PASSWORD, "&user=default"),
        ("SELECT 1", "wrong", "&user=default"),
        ("SELECT 1", "", "&%75ser=default"),
        ("SELECT 1", PASSWORD, "&user=meter95"),
        ("SELECT 1", PASSWORD, "&password="),
        ("SELECT 1", PASSWORD, "&role=default"),
        ("SELECT * FROM tokens", PASSWORD, ""),
        ("SELECT * FROM audit", PASSWORD, ""),
        ("SELECT * FROM events", PASSWORD, ""),
        ("SELECT * FROM file('/etc/passwd', 'LineAsString')", PASSWORD, ""),
        ("SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", PASSWORD, ""),
        ("DROP TABLE samples", PASSWORD, ""),
        ("INSERT INTO samples SELECT * FROM samples", PASSWORD, ""),
        ("ALTER TABLE samples DELETE WHERE 1", PASSWORD, ""),
        ("SELECT 1", PASSWORD, "&readonly=0"),
        ("SELECT 1 SETTINGS readonly = 0", PASSWORD, ""),
        ("SELECT 1 SETTINGS max_execution_time = 3600", PASSWORD, ""),
    ] {
        let (ok, text) = reader.ask(sql, password, more).await;
        assert!(!ok, "{sql} {more}: {text}");
    }
    // What only looks like another user's name is none.
    for more in [
        "&query_id=1?user=default",
        "&query_id=2;user=default",
        "&query_id=3%26user=default",
        "&User=default",
    ] {
        let (ok, text) = reader.ask("SELECT currentUser()", PASSWORD, more).await;
        assert!(!ok || text.trim() == "meter95_reader", "{more}: {text}");
    }
    // Who names a user in another way is not let in.
    let client = reqwest::Client::new();
    let other = |query: &str| client.post(format!("{}/?{query}", reader.url)).body("SELECT 1");
    for request in [
        other("").basic_auth("meter95_reader", Some(PASSWORD)),
        other("user=default").basic_auth("meter95_reader", Some(PASSWORD)),
        other("user=default"),
        other("").basic_auth("default", None::<&str>),
        other("").basic_auth("default", None::<&str>).header("X-ClickHouse-User", "meter95_reader"),
    ] {
        assert!(!request.send().await.unwrap().status().is_success());
    }
    // People's addresses are not shown; everything else of the inventory is.
    let (_, rows) = reader.rows("SELECT DISTINCT kind FROM inventory ORDER BY kind").await;
    let kinds: Vec<&str> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"server") && !kinds.contains(&"customer"), "{kinds:?}");
}

/// That what Prometheus is asked for is there.
async fn metrics_are_there(demo: &Demo) {
    let mut asked: Vec<String> = quoted(&read("prometheus/meter95-alerts.yaml"), "expr");
    for board in boards() {
        let panels = list(&board, "/panels").iter().flat_map(|panel| list(panel, "/targets"));
        asked.extend(panels.filter_map(|target| Some(target["expr"].as_str()?.to_owned())));
    }
    let names: BTreeSet<&str> = asked
        .iter()
        .flat_map(|expr| expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with("meter95_"))
        .collect();
    assert!(names.len() > 8, "{names:?}");
    let since = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    loop {
        looks.tick().await;
        let text = demo.get("/metrics").await;
        let is_there = |name: &&str| {
            text.lines()
                .any(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")))
        };
        let missing: Vec<&&str> =
            names.iter().filter(|name| !is_there(name) && !OF_FAILURES.contains(name)).collect();
        if missing.is_empty() {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "{missing:?}\n{text}");
    }
    // Those that are not there yet are named in what operators read.
    let operating = std::fs::read_to_string(folder().with_file_name("docs/OPERATING.md")).unwrap();
    for name in OF_FAILURES {
        let short = name.trim_start_matches("meter95_readings").trim_start_matches("meter95_");
        assert!(operating.contains(short), "{name}");
    }
}
