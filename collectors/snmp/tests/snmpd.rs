//! Against net-snmp's agent, which shows this machine's own interfaces.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meter95_reading::Width;
use meter95_snmp::{
    Credentials, Device, InterfaceFilter, Options, Outcome, PortStatus, Secret, Visitor, ports,
};
use tempfile::TempDir;

use crate::agent::clock;

/// How long the agent may take to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

pub(crate) struct Snmpd {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What the agent keeps from one start to the next: its users, its engine ID, the number of its boots.
    _directory: Arc<TempDir>,
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Snmpd {
    /// Starts the agent on a free port and waits until it answers.
    async fn start() -> Self {
        Self::start_with("", Arc::new(tempfile::tempdir().unwrap())).await
    }

    /// Starts it with more lines of configuration, and with what an earlier one has kept in `directory`.
    pub(crate) async fn start_with(lines: &str, directory: Arc<TempDir>) -> Self {
        let binary = ["/usr/sbin/snmpd", "/usr/local/sbin/snmpd", "/opt/homebrew/sbin/snmpd"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .expect("snmpd is needed: install net-snmp's agent (Debian: apt-get install snmpd, Fedora: dnf install net-snmp)");
        let [config, kept] = ["config", "kept"].map(|name| directory.path().join(name));
        let _ = std::fs::create_dir(&config);
        let lines = format!("rocommunity hush 127.0.0.1\nsysServices 2\n{lines}");
        std::fs::write(config.join("snmpd.conf"), lines).unwrap();
        let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(binary)
            .args(["-f", "-LE", "3", "-p"])
            .arg(directory.path().join("pid"))
            .arg(format!("udp:{address}"))
            // What it keeps is read again only where it is on this path.
            .env("SNMPCONFPATH", std::env::join_paths([&config, &kept]).unwrap())
            .env("SNMP_PERSISTENT_DIR", &kept)
            .env("MIBS", "")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut snmpd = Self { child, address, _directory: directory };
        let since = Instant::now();
        let options =
            Options { request_timeout: Duration::from_millis(100), attempts: 1, ..Options::default() };
        while ports(&snmpd.device(), &options).await.is_err() {
            assert!(snmpd.child.try_wait().unwrap().is_none(), "snmpd ended");
            assert!(since.elapsed() < START_MAX, "snmpd does not answer");
        }
        snmpd
    }

    fn device(&self) -> Device {
        let credentials = Credentials::V2c { community: Secret::new("hush").unwrap() };
        Device::new("host", self.address, credentials).unwrap()
    }
}

/// The interfaces of this machine.
fn interfaces() -> BTreeSet<String> {
    let entries = std::fs::read_dir("/sys/class/net").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // bonding_masters is a file that lies among them.
    names.filter(|name| name != "bonding_masters").collect()
}

fn statistic(interface: &str, name: &str) -> u64 {
    let path = format!("/sys/class/net/{interface}/statistics/{name}");
    std::fs::read_to_string(path).unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn this_machine_is_read_through_net_snmp() {
    let snmpd = Snmpd::start().await;

    let listed = ports(&snmpd.device(), &Options::default()).await.unwrap();
    let names: BTreeSet<String> = listed.iter().filter_map(|port| port.name.clone()).collect();
    assert_eq!(names, interfaces());
    let lo = listed.iter().find(|port| port.name.as_deref() == Some("lo")).unwrap();
    assert_eq!((lo.kind, lo.width, lo.problem), (Some(24), Some(Width::Bits64), None));
    assert_eq!(lo.status, Some(PortStatus::Up));

    let mut visitor = Visitor::new(snmpd.device(), Options::default(), clock).await.unwrap();
    let before = clock();
    let pass = visitor.pass().await;
    assert_eq!((pass.outcome, pass.failures.total()), (Outcome::Complete, 0), "{}", pass.failures);
    assert_eq!(pass.readings.len(), names.len());
    for reading in &pass.readings {
        let (interface, counters) = (reading.port.interface(), reading.counters);
        assert!((before..=clock()).contains(&counters.time), "{reading:?}");
        assert_eq!(counters.width, Width::Bits64);
        assert!(counters.uptime_cs.is_some() && counters.rx_packets.is_some(), "{reading:?}");
        // The agent refreshes its counters every few seconds, so they are those of now or earlier.
        assert!(counters.rx_octets <= statistic(interface, "rx_bytes"), "{reading:?}");
        assert!(counters.tx_octets <= statistic(interface, "tx_bytes"), "{reading:?}");
    }

    let only = InterfaceFilter::patterns(["l?"]).unwrap();
    let mut visitor =
        Visitor::new(snmpd.device().with_interfaces(only), Options::default(), clock).await.unwrap();
    let pass = visitor.pass().await;
    assert_eq!(pass.readings.iter().map(|reading| reading.port.interface()).collect::<Vec<_>>(), ["lo"]);
    let lo = pass.readings[0].counters;
    assert!(lo.rx_octets > 0 && lo.rx_octets == lo.tx_octets, "the loopback receives what it sends: {lo:?}");
}

#[tokio::test]
async fn a_wrong_community_is_silence() {
    let snmpd = Snmpd::start().await;
    let credentials = Credentials::V2c { community: Secret::new("wrong").unwrap() };
    let device = Device::new("host", snmpd.address, credentials).unwrap();
    let options = Options { request_timeout: Duration::from_millis(100), attempts: 2, ..Options::default() };
    let mut visitor = Visitor::new(device, options, clock).await.unwrap();
    assert_eq!(visitor.pass().await.outcome, Outcome::Silent);
}
