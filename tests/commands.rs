//! The commands as people run them: real processes, a simulated switch that answers real SNMP, a service that listens.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meter95::clock;
use meter95::demo::agent::{Agents, COMMUNITY};
use meter95::demo::site::Site;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::meter95;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that runs on, ended with the test.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended");
        line.trim().to_owned()
    }

    /// Tells it to stop, and waits until it has.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "it ends in order");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command prints; it must succeed.
fn prints(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command says when it fails; it must fail.
fn fails(command: &mut Command) -> (String, String) {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{command:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// One simulated switch, answering until the token is cancelled.
async fn switch(stop: &CancellationToken) -> (String, SocketAddr) {
    let site = Arc::new(Site::new(3, 10, clock::now()).unwrap());
    let agents = Agents::bind(&site, clock::now, stop).await.unwrap();
    let (name, address) = agents.addresses().next().map(|(name, at)| (name.to_owned(), at)).unwrap();
    tokio::spawn(agents.run());
    (name, address)
}

fn config(dir: &Path, text: &str) -> std::path::PathBuf {
    let path = dir.join("meter95.toml");
    std::fs::write(&path, text).unwrap();
    path
}

async fn get(url: &str) -> Value {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::get(url).await.unwrap().error_for_status().unwrap();
    answer.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_discovery_to_readings_of_a_collector_elsewhere() {
    let stop = CancellationToken::new();
    let (name, address) = switch(&stop).await;
    let dir = tempfile::tempdir().unwrap();
    let (data, inventory) = (dir.path().join("data"), dir.path().join("inventory.toml"));

    let address_text = address.to_string();
    let asked = ["discover", &address_text, "--community", COMMUNITY, "--name", &name];
    let lines = prints(meter95(&data).args(asked));
    std::fs::write(&inventory, &lines).unwrap();
    let dry = prints(meter95(&data).args(["inventory", "apply", "--dry-run"]).arg(&inventory));
    assert!(dry.contains("not applied (--dry-run)"), "{dry}");

    let mut serve = Running::start(meter95(&data).args(["serve", "--listen", "127.0.0.1:0"]));
    let url = serve.line().split_whitespace().last().unwrap().to_owned();
    let applied = prints(meter95(&data).args(["inventory", "apply"]).arg(&inventory));
    assert!(applied.contains("+ server"), "{applied}");
    assert!(applied.contains("takes them up"), "a running service goes on: {applied}");
    let shown = prints(meter95(&data).args(["inventory", "show"]));
    std::fs::write(&inventory, &shown).unwrap();
    let again = prints(meter95(&data).args(["inventory", "apply"]).arg(&inventory));
    assert!(again.contains("Nothing changes."), "what is shown is what was applied: {again}");

    let text = format!(
        "[[snmp.devices]]\nname = '{name}'\naddress = '{address}'\ncommunity = '{COMMUNITY}'\ninterval_s = 1\n\
         [ship]\nname = 'tokyo-1'\n"
    );
    let file = config(dir.path(), &text);
    let checked = prints(meter95(&dir.path().join("checked")).arg("--config").arg(&file).arg("check"));
    assert!(checked.contains("ok") && !checked.contains("FAIL"), "{checked}");

    let collector = dir.path().join("collector");
    let collect =
        Running::start(meter95(&collector).arg("--config").arg(&file).args(["collect", "--to", &url]));
    let started = Instant::now();
    loop {
        let servers = get(&format!("{url}/v1/servers")).await;
        let listed = servers["servers"].as_array().unwrap();
        let read = listed.iter().filter(|server| server["ports"][0]["last_reading"].is_string()).count();
        if read > 0 && read == listed.len() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{read} of {} servers were read", listed.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!collector.exists(), "a collector alone keeps no data");
    collect.stop();

    let listed = get(&format!("{url}/v1/collectors")).await;
    assert_eq!(listed["collectors"][0]["name"], "tokyo-1", "{listed}");
    let told = prints(meter95(&data).args(["collectors", "--format", "json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    let mut listed = listed["collectors"].clone();
    let health = listed[0].as_object_mut().and_then(|collector| collector.remove("health"));
    assert_eq!(health.map(|health| health["state"].clone()), Some("stopped".into()));
    assert_eq!(told, listed, "a stop is stored at once");
    assert_eq!((&told[0]["unsent"], &told[0]["stopped"]), (&0.into(), &true.into()), "{told}");
    let table = prints(meter95(&data).arg("collectors"));
    assert!(table.contains("tokyo-1") && table.contains("Last heard of"), "{table}");
    let csv = prints(meter95(&data).args(["collectors", "--format", "csv"]));
    assert!(csv.starts_with("name,at,unsent,oldest_unsent,stopped\ntokyo-1,20"), "{csv}");
    assert!(csv.ends_with("Z,0,,true\n"), "{csv}");
    let forgotten = prints(meter95(&data).args(["collectors", "forget", "tokyo-1", "--by", "alice"]));
    assert!(forgotten.contains("Collector \"tokyo-1\" is out of account"), "{forgotten}");
    let listed = get(&format!("{url}/v1/collectors")).await;
    assert_eq!(listed["collectors"].as_array().map(Vec::len), Some(0), "{listed}");
    assert!(prints(meter95(&data).arg("collectors")).contains("No collector elsewhere"));
    for (name, by, says) in [
        ("tokyo-1", "alice", "no collector \"tokyo-1\" is known"),
        ("", "alice", "a name can't be empty"),
        ("tokyo-1", " ", "--by \" \" names nobody"),
    ] {
        let (_, error) = fails(meter95(&data).args(["collectors", "forget", name, "--by", by]));
        assert!(error.contains(says), "{error}");
    }

    let (_, says) = fails(meter95(&data).args(["serve", "--listen", "127.0.0.1:0"]));
    assert!(says.contains("is writing to"), "there is one writer: {says}");
    serve.stop();
    stop.cancel();
}

#[test]
fn a_configured_clickhouse_takes_the_place_of_the_embedded_one() {
    let dir = tempfile::tempdir().unwrap();
    let (server, data) = (dir.path().join("server"), dir.path().join("data"));
    // The embedded engine of another data directory stands for a server that runs by itself.
    let mut engine = Running::start(meter95(&server).args(["engine", "run"]));
    let url = engine.line();
    let announced = std::fs::read_to_string(server.join("engine/endpoint.json")).unwrap();
    let announced: Value = serde_json::from_str(&announced).unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, format!("{}\n", announced["password"].as_str().unwrap())).unwrap();
    let text =
        format!("[clickhouse]\nurl = '{url}'\nuser = 'meter95'\npassword_file = '{}'\n", password.display());
    let file = config(dir.path(), &text);
    let month = crate::vectors::folder().join("months/october-faults");
    let with = || {
        let mut command = meter95(&data);
        command.arg("--config").arg(&file);
        command
    };
    prints(with().args(["inventory", "apply"]).arg(month.join("inventory.json")));
    prints(with().arg("import").arg(month.join("readings.ndjson.gz")));
    let usage =
        prints(with().args(["usage", "--period", "2026-10", "--server", "flaky01", "--format", "json"]));
    let usage: Value = serde_json::from_str(&usage).unwrap();
    assert_eq!(usage[0]["p95_bps"], 13_637_842);
    assert!(!data.join("engine").exists(), "no engine of its own was started");
    engine.stop();
}

/// net-snmp's agent on a free port, with a user `meter95` of SNMPv3.
fn snmpd(dir: &Path) -> (Running, SocketAddr) {
    let binary = ["/usr/sbin/snmpd", "/usr/local/sbin/snmpd", "/opt/homebrew/sbin/snmpd"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("snmpd is needed: install net-snmp's agent (Debian: apt-get install snmpd)");
    std::fs::write(
        dir.join("snmpd.conf"),
        "createUser meter95 SHA-256 authentic-95 AES encrypted-95\nrouser meter95 priv\n",
    )
    .unwrap();
    let address = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let agent = Running::start(
        Command::new(binary)
            .args(["-f", "-LE", "3", "-p"])
            .arg(dir.join("pid"))
            .arg(format!("udp:{address}"))
            .env("SNMPCONFPATH", dir)
            .env("SNMP_PERSISTENT_DIR", dir.join("kept"))
            .env("MIBS", ""),
    );
    (agent, address)
}

#[test]
fn a_device_is_read_by_a_user_of_snmpv3() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (_agent, address) = snmpd(dir.path());
    let discover = |auth: &str, privacy: &str| {
        let mut command = meter95(&data);
        command.args(["discover", &address.to_string(), "--user", "meter95", "--format", "json"]);
        command.env("METER95_AUTH_PASSWORD", auth).env("METER95_PRIVACY_PASSWORD", privacy);
        command
    };
    let listed: Value = serde_json::from_str(&prints(&mut discover("authentic-95", "encrypted-95"))).unwrap();
    let mut names = listed.as_array().unwrap().iter().map(|port| port["interface"].as_str().unwrap());
    assert!(names.any(|name| name == "lo"), "{listed}");
    let (_, says) = fails(&mut discover("authentic-96", "encrypted-95"));
    assert!(says.contains("the authentication password or protocol is wrong (wrong_auth)"), "{says}");
    let (_, says) = fails(&mut discover("authentic-95", "short"));
    assert!(says.contains("the privacy password has 5 octets, under 8"), "{says}");
    let (_, says) = fails(&mut discover("authentic-95", "encrypted-96"));
    assert!(says.contains("the privacy password or protocol is wrong") && !says.contains("-9"), "{says}");

    let auth = dir.path().join("auth");
    std::fs::write(&auth, "authentic-95\n").unwrap();
    let text = format!(
        "[[snmp.users]]\nname = 'core'\nuser = 'meter95'\nauth = 'sha256'\nauth_password_file = {auth:?}\n\
         privacy = 'aes128'\nprivacy_password_env = 'PRIVACY'\n\
         [[snmp.devices]]\nname = 'sw1'\naddress = '{address}'\nuser = 'core'\n\
         [[snmp.devices]]\nname = 'sw2'\naddress = '{address}'\ncommunity = 'hush-hush'\n"
    );
    let file = config(dir.path(), &text);
    let check = |password: &str| {
        let mut command = meter95(&data);
        command.arg("--config").arg(&file).arg("check").env("PRIVACY", password);
        command
    };
    let (found, _) = fails(&mut check("encrypted-95"));
    assert!(found.contains("ok   user \"core\" of SNMPv3: meter95, sha256, aes128"), "{found}");
    assert!(found.contains("ok   device \"sw1\" over SNMP"), "{found}");
    assert!(
        found.contains("FAIL  device \"sw2\" over SNMP: no answer came"),
        "it has no such community: {found}"
    );
    let (found, _) = fails(check("encrypted-96").arg("--offline").env_remove("PRIVACY"));
    assert!(
        found.contains("FAIL  user \"core\" of SNMPv3: the environment variable PRIVACY is not set"),
        "{found}"
    );

    let dumped = prints(check("encrypted-95").arg("--dump"));
    for secret in ["authentic-95", "encrypted-95", "hush-hush"] {
        assert!(!dumped.contains(secret), "{dumped}");
    }
    assert!(dumped.contains("community = \"***\"") && dumped.contains("grace_s = 600"), "{dumped}");
}

#[test]
fn mistakes_are_told_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let wrong = config(dir.path(), "[http]\nlisten = 'here'\n");
    let (_, says) = fails(meter95(&data).arg("--config").arg(&wrong).arg("check"));
    assert!(says.contains("meter95.toml") && says.contains("listen"), "{says}");

    let silent = "[[snmp.devices]]\nname = 'sw1'\naddress = 'no-such-switch.invalid'\ncommunity = 'public'\n";
    let silent = config(dir.path(), silent);
    let (found, says) = fails(meter95(&data).arg("--config").arg(&silent).args(["check", "--offline"]));
    assert!(found.contains("FAIL  device \"sw1\"") && found.contains("no-such-switch.invalid"), "{found}");
    assert!(says.contains("one thing is wrong"), "{says}");

    let inventory = dir.path().join("inventory.toml");
    std::fs::write(&inventory, "[[servers]]\nid = 'web01'\nplan = 'gold'\n").unwrap();
    let (_, says) = fails(meter95(&data).args(["inventory", "apply"]).arg(&inventory));
    assert!(says.contains("server \"web01\": there is no plan \"gold\""), "{says}");

    let (_, says) = fails(meter95(&data).args(["usage", "--period", "October"]));
    assert!(says.contains("\"October\" is not a billing period"), "{says}");
    let (_, says) = fails(meter95(&data).args(["usage", "--server", "nobody"]));
    assert!(says.contains("there is no server \"nobody\""), "{says}");
}
