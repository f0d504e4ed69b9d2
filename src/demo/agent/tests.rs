//! The agents against what the history says, over real SNMP.

use std::time::Duration;

use async_snmp::{Auth, Client, Retry, oid};

use super::*;
use crate::demo::habit::EPOCH;

/// Where the history of these tests ends and the agents' clock stands still.
const NOW: Timestamp = Timestamp(1_795_230_000_123);

fn now() -> Timestamp {
    NOW
}

fn site() -> Arc<Site> {
    Arc::new(Site::new(95, 200, NOW).unwrap())
}

async fn client(address: SocketAddr) -> Client {
    Client::builder(address.to_string(), Auth::v2c(COMMUNITY))
        .request_timeout(Duration::from_secs(5))
        .retry(Retry::none())
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn agents_go_on_where_the_history_ends() {
    let site = site();
    let stop = CancellationToken::new();
    let agents = Agents::bind(&site, now, &stop).await.unwrap();
    let addresses: Vec<(String, SocketAddr)> =
        agents.addresses().map(|(name, address)| (name.to_owned(), address)).collect();
    let running = tokio::spawn(agents.run());
    let last = site.history(NOW.plus_ms(-600_000), NOW, 300_000).last().unwrap();
    assert!(addresses.len() >= 6);
    for ((name, address), switch) in addresses.iter().zip(&site.switches) {
        assert_eq!(*name, switch.name);
        assert!(address.ip().is_loopback());
        let client = client(*address).await;
        let port = switch.ports.last().unwrap();
        let reading = last.iter().find(|reading| reading.port == port.key).unwrap();
        let oids = [
            oid!(1, 3, 6, 1, 2, 1, 1, 3, 0),
            oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6).child(port.if_index),
            oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10).child(port.if_index),
            oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 19).child(port.if_index),
            oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1).child(port.if_index),
        ];
        let got = client.get_many(&oids).await.unwrap();
        let values: Vec<Value> = got.varbinds.iter().map(|varbind| varbind.value.clone()).collect();
        let counters = &reading.counters;
        let expected = [
            Value::TimeTicks(counters.uptime_cs.unwrap()),
            Value::Counter64(counters.rx_octets),
            Value::Counter64(counters.tx_octets),
            Value::TimeTicks(0),
            Value::OctetString(port.key.interface().to_owned().into()),
        ];
        assert_eq!(values, expected, "{name}");
    }
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_bulk_walk_finds_every_object_once_in_order() {
    let site = site();
    let stop = CancellationToken::new();
    let agents = Agents::bind(&site, now, &stop).await.unwrap();
    let (_, address) = agents.addresses().next().unwrap();
    let running = tokio::spawn(agents.run());
    let client = client(address).await;
    let mut at = Oid::new(mib::ROOT);
    let mut found = 0;
    loop {
        let varbinds = client.get_bulk(std::slice::from_ref(&at), 0, 40).await.unwrap();
        for varbind in &varbinds {
            if varbind.value == Value::EndOfMibView {
                assert_eq!(found, 6 + 21 * site.switches[0].ports.len());
                stop.cancel();
                running.await.unwrap().unwrap();
                return;
            }
            assert!(varbind.oid > at);
            at = varbind.oid.clone();
            found += 1;
        }
    }
}

#[test]
fn what_is_missing_says_so() {
    for (oid, column) in [
        (oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 1), true),
        (oid!(1, 3, 6, 1, 2, 1, 1, 3, 1), true),
        (oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 11, 513), false),
        (oid!(1, 3, 6, 1, 4, 1), false),
    ] {
        assert_eq!(mib::is_column(&oid), column, "{oid}");
    }
}

#[test]
fn counters_of_32_bits_wrap() {
    let site = site();
    let mut view = View::new(Arc::clone(&site));
    let moved = view.moved(0, 0, NOW);
    let cells = mib::cells(&site.switches[0]);
    let cell = *cells.get(&oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 513)).unwrap();
    let low = u32::try_from(moved.rx % (1 << 32)).unwrap();
    assert_eq!(cell.value(&mut view, 0, NOW), Value::Counter32(low));
    assert_eq!(cell.value(&mut view, 0, EPOCH), Value::Counter32(0));
}
