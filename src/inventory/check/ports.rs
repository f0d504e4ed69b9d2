//! A port is one server's or one uplink's at a time, and nothing is counted twice.

use std::collections::HashMap;

use meter95_reading::Timestamp;

use super::{Problems, overlap};
use crate::inventory::document::Document;
use crate::inventory::instant::Instant;
use crate::inventory::place::{Kind, Place};

/// Who has a port, and when.
struct Use<'a> {
    kind: Kind,
    /// Of the entry.
    index: usize,
    id: &'a str,
    /// Of the port in the server.
    port: Option<usize>,
    /// Whether what it carries is added to the server's.
    counts: bool,
    span: (Option<Timestamp>, Option<Timestamp>),
}

impl Use<'_> {
    fn place(&self) -> Place {
        let entry = Place::entry(self.kind, self.index, self.id);
        match self.port {
            Some(port) => entry.item("ports", port),
            None => entry,
        }
    }

    /// The verb for it, since a server's port is its own.
    fn owner(&self) -> String {
        format!("belongs to {} {:?}", self.kind, self.id)
    }
}

/// Who has which interface of which device.
type Uses<'a> = HashMap<(&'a str, &'a str), Vec<Use<'a>>>;

/// Looks at all ports together: those of servers, those of uplinks, and the members of LAGs.
pub(super) fn ports(problems: &mut Problems, document: &Document) {
    let mut uses = Uses::new();
    for (device, interface, new) in servers(document).chain(uplinks(document)) {
        let others = uses.entry((device, interface)).or_default();
        if let Some(other) = others.iter().find(|other| overlap(other.span, new.span)) {
            let owner = other.owner();
            problems.add(
                &new.place(),
                format!("port {interface:?} of device {device:?} {owner} at the same time"),
            );
        }
        others.push(new);
    }
    for device in &document.devices {
        for lag in &device.lags {
            for member in &lag.members {
                for found in counted(&uses, &device.id, member) {
                    let mut wholes = counted(&uses, &device.id, &lag.interface);
                    if let Some(whole) = wholes.find(|whole| overlap(whole.span, found.span)) {
                        let (lag, device, owner) = (&lag.interface, &device.id, whole.owner());
                        let says = format!(
                            "port {member:?} is a member of LAG {lag:?} of device {device:?}, which {owner} at the same \
                             time; its octets would count twice"
                        );
                        problems.add(&found.place(), says);
                    }
                }
            }
        }
    }
}

/// The servers' ports of this name that count.
fn counted<'u, 'a>(
    uses: &'u Uses<'a>,
    device: &'a str,
    interface: &'a str,
) -> impl Iterator<Item = &'u Use<'a>> {
    let uses = uses.get(&(device, interface)).into_iter().flatten();
    uses.filter(|found| found.counts)
}

fn servers(document: &Document) -> impl Iterator<Item = (&str, &str, Use<'_>)> {
    document.servers.iter().enumerate().flat_map(|(index, server)| {
        server.ports.iter().enumerate().map(move |(port, entry)| {
            let span = span(entry.from, entry.until);
            let port = Some(port);
            let counts = !entry.check_only;
            let used = Use { kind: Kind::Server, index, id: &server.id, port, counts, span };
            (entry.device.as_str(), entry.interface.as_str(), used)
        })
    })
}

fn uplinks(document: &Document) -> impl Iterator<Item = (&str, &str, Use<'_>)> {
    document.uplinks.iter().enumerate().map(|(index, entry)| {
        let span = span(entry.from, entry.until);
        let used = Use { kind: Kind::Uplink, index, id: &entry.id, port: None, counts: false, span };
        (entry.device.as_str(), entry.interface.as_str(), used)
    })
}

fn span(from: Option<Instant>, until: Option<Instant>) -> (Option<Timestamp>, Option<Timestamp>) {
    (from.map(|i| i.0), until.map(|i| i.0))
}
