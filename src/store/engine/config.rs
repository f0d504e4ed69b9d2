//! ClickHouse's configuration and users, as text.

use std::path::Path;

use super::Secret;
use super::hash::hex;
use super::layout::Layout;
use super::program::Program;
use sha2::{Digest, Sha256};

/// The service's own user in the engine.
pub const USER: &str = "meter95";
/// The service's own database, in which that user may do everything.
pub const DATABASE: &str = "meter95";

/// The user who may only read what dashboards show; there where it has a password.
pub const READER: &str = "meter95_reader";
/// What that user reads: what was metered, sold, issued and raised. Not tokens, mails, the audit and people's addresses.
const READABLE: [&str; 22] = [
    "alerts",
    "breaks",
    "checkpoints",
    "closing_acts",
    "collectors",
    "inventory",
    "inventory_now",
    "month_span",
    "month_usage",
    "plan_chain",
    "port_slots",
    "ports",
    "readings",
    "samples",
    "samples_superseded",
    "schema_migrations",
    "server_slots",
    "server_terms",
    "servers",
    "statements",
    "statements_now",
    "uplink_slots",
];
/// How long one of its queries may take unless it says otherwise, and at most, in s.
const READER_S: u32 = 60;
const READER_S_MAX: u32 = 300;
/// How much of the engine's memory one of its queries may take, in hundredths: metering goes first.
const READER_MEMORY_PERCENT: u64 = 50;

/// Share of the machine's memory that the engine may take, in hundredths: the service and the page cache need theirs.
const MEMORY_SHARE_PERCENT: u64 = 40;
/// Below this ClickHouse cannot merge larger parts.
const MEMORY_OCTETS_MIN: u64 = 1 << 30;
/// Index marks kept in memory: those of a few thousand parts.
const MARK_CACHE_OCTETS: u64 = 64 << 20;
/// The log's size before it is rotated, and how many old ones are kept.
const LOG_SIZE: &str = "10M";
const LOG_COUNT: u32 = 3;
/// How long the engine keeps an idle connection: above the client's own 2 s, and no more, for it delays a stop.
const KEEP_ALIVE_S: u32 = 3;

/// The engine's memory limit where none is configured, from the memory of this machine or of its control group.
pub(super) fn memory_octets_max() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_total(&text));
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|t| t.trim().parse().ok());
    let memory = machine.into_iter().chain(group).min().unwrap_or(0);
    share(memory)
}

fn share(memory_octets: u64) -> u64 {
    (memory_octets / 100 * MEMORY_SHARE_PERCENT).max(MEMORY_OCTETS_MIN)
}

fn mem_total(meminfo: &str) -> Option<u64> {
    let kib: u64 = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()?;
    kib.checked_mul(1024)
}

/// The text of `config.xml`. `http_port` is for a real server; the library is told on its command line.
pub(super) fn config(layout: &Layout, program: &Program, memory_octets_max: u64, has_reader: bool) -> String {
    let users = path(&layout.users());
    let log = path(&layout.log());
    let own = match program {
        Program::Library(_) => library(has_reader),
        Program::Server(..) => server(layout),
    };
    // What an insert has acknowledged survives a power cut: that is what bills are made of.
    // The console is switched off: the child's standard error must not grow for ever.
    format!(
        "<clickhouse>
<logger><level>information</level><console>0</console><log>{log}</log><size>{LOG_SIZE}</size><count>{LOG_COUNT}</count></logger>
<users_config>{users}</users_config>
<background_pool_size>4</background_pool_size>
<background_schedule_pool_size>16</background_schedule_pool_size>
<background_common_pool_size>4</background_common_pool_size>
<background_distributed_schedule_pool_size>4</background_distributed_schedule_pool_size>
<max_server_memory_usage>{memory_octets_max}</max_server_memory_usage>
<mark_cache_size>{MARK_CACHE_OCTETS}</mark_cache_size>
<keep_alive_timeout>{KEEP_ALIVE_S}</keep_alive_timeout>
<timezone>UTC</timezone>
<merge_tree><fsync_after_insert>1</fsync_after_insert><fsync_part_directory>1</fsync_part_directory></merge_tree>
{own}</clickhouse>
"
    )
}

/// The library's local session logs in as `default` without a password and from the same address as anyone else on
/// this machine, so over HTTP only requests that name the service's own user, or the reader, by that header are let in at
/// all. ClickHouse refuses a request that names two users. (A rule on `Authorization` would let `default` in: a parameter
/// `user` counts more than that header, and rules do not see parameters.)
fn library(has_reader: bool) -> String {
    let users = [USER].into_iter().chain(has_reader.then_some(READER));
    let rules = users.map(|user| {
        format!(
            "<rule>
<headers><X-ClickHouse-User>{user}</X-ClickHouse-User></headers>
<handler><type>dynamic_query_handler</type><query_param_name>query</query_param_name></handler>
</rule>"
        )
    });
    format!("<http_handlers>{}</http_handlers>\n", rules.collect::<String>())
}

/// A real server takes its directories from the configuration, and its port from the child's command line.
fn server(layout: &Layout) -> String {
    let data = path(&layout.data());
    format!(
        "<path>{data}/</path>
<tmp_path>{data}/tmp/</tmp_path>
<user_files_path>{data}/user_files/</user_files_path>
<format_schema_path>{data}/format_schemas/</format_schema_path>
<listen_host>127.0.0.1</listen_host>
"
    )
}

/// The user who may only read, with its profile, as XML; nothing without a password.
fn reader(password: Option<&Secret>, memory_octets_max: u64) -> (String, String) {
    let Some(password) = password else {
        return Default::default();
    };
    let password = hex(&Sha256::digest(password.expose()));
    let memory = memory_octets_max / 100 * READER_MEMORY_PERCENT;
    // Clients set the limits of their queries, so settings can be changed, to less than these.
    let profile = format!(
        "<{READER}><readonly>2</readonly><max_execution_time>{READER_S}</max_execution_time>\
<max_memory_usage>{memory}</max_memory_usage><priority>10</priority><constraints>\
<max_execution_time><min>1</min><max>{READER_S_MAX}</max></max_execution_time>\
<max_memory_usage><min>1</min><max>{memory}</max></max_memory_usage></constraints></{READER}>"
    );
    let grants: String =
        READABLE.iter().map(|table| format!("<query>GRANT SELECT ON {DATABASE}.{table}</query>\n")).collect();
    let user = format!(
        "<{READER}><password_sha256_hex>{password}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>\
<profile>{READER}</profile><quota>default</quota>
<databases><{DATABASE}><inventory><filter>kind != 'customer'</filter></inventory></{DATABASE}></databases>
<grants>{grants}</grants></{READER}>
"
    );
    (profile, user)
}

/// The text of `users.xml`.
pub(super) fn users(
    program: &Program,
    password: &Secret,
    reader_password: Option<&Secret>,
    memory_octets_max: u64,
) -> String {
    let (reader_profile, reader) = reader(reader_password, memory_octets_max);
    let password = hex(&Sha256::digest(password.expose()));
    let default = match program {
        // What the child's session needs: to listen, to read the pipe that it waits on.
        Program::Library(_) => {
            "<default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota><grants>
<query>GRANT SYSTEM LISTEN ON *.*</query>
<query>GRANT READ ON FILE</query>
<query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
</grants></default>
"
        }
        Program::Server(..) => "",
    };
    // No grant on files, URLs and other sources: what gets into a query must not get out of the database.
    format!(
        "<clickhouse><profiles><default/>{reader_profile}</profiles><quotas><default/></quotas><users>
{default}<{USER}><password_sha256_hex>{password}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota><grants>
<query>GRANT ALL ON {DATABASE}.*</query>
<query>GRANT SELECT ON system.*</query>
<query>GRANT SELECT ON information_schema.*</query>
<query>GRANT SYSTEM, KILL QUERY, CREATE TEMPORARY TABLE ON *.*</query>
<query>GRANT TABLE ENGINE ON *</query>
<query>GRANT REMOTE, CLUSTER ON *.*</query>
</grants></{USER}>
{reader}</users></clickhouse>
"
    )
}

/// A path as XML text. Layouts are made only from paths that are UTF-8.
fn path(path: &Path) -> String {
    path.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_a_share_with_a_floor() {
        let check = |octets: u64, want: u64| assert_eq!(share(octets), want, "{octets}");
        check(0, 1 << 30);
        check(2 << 30, 1 << 30);
        check(10_000_000_000, 4_000_000_000);
        assert_eq!(mem_total("MemFree: 1 kB\nMemTotal:       24611072 kB\n"), Some(24_611_072 * 1024));
        assert_eq!(mem_total("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn a_path_cannot_break_the_configuration() {
        let layout = Layout::of(Path::new("/srv/a&b<c"));
        let text = config(&layout, &Program::Library("/x.so".into()), 1, false);
        assert!(text.contains("/srv/a&amp;b&lt;c/engine/users.xml"), "{text}");
    }

    #[test]
    fn the_password_is_not_in_the_users_file() {
        let password = Secret::new("open sesame".to_owned());
        let program = Program::Library("/x.so".into());
        assert!(!users(&program, &password, Some(&password), 1).contains("open sesame"));
    }

    #[test]
    fn a_server_of_ones_own_grants_the_same() {
        let guide = include_str!("../../../dashboards/grafana/README.md");
        let granted = guide.lines().filter_map(|line| line.strip_prefix("GRANT SELECT ON meter95."));
        let granted: Vec<&str> =
            granted.filter_map(|line| line.strip_suffix(" TO meter95_reader;")).collect();
        assert_eq!(granted, READABLE);
    }

    #[test]
    fn there_is_a_reader_where_it_has_a_password() {
        let program = Program::Library("/x.so".into());
        let layout = Layout::of(Path::new("/srv"));
        let password = Secret::new("open sesame".to_owned());
        for there in [false, true] {
            let text = config(&layout, &program, 1, there)
                + &users(&program, &password, there.then_some(&password), 1);
            assert_eq!(text.contains(READER), there, "{text}");
        }
    }
}
