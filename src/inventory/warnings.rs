//! What of a document contradicts nothing and is likely a mistake all the same: people are told, and it is put in force.

use super::check::{Problem, overlap};
use super::document::{Document, PortEntry, ServerEntry};
use super::place::{Kind, Place};
use crate::metering::sample::PortKind;

/// Everything in `document` that people should look at once more.
#[must_use]
pub fn warnings(document: &Document) -> Vec<Problem> {
    let servers = document.servers.iter().enumerate();
    servers.flat_map(|(i, server)| met_twice(&Place::entry(Kind::Server, i, &server.id), server)).collect()
}

/// NICs that count beside a switch port. Either sees all of one cable, so where it is the same cable the server's octets
/// count twice. It may be two cables; who wrote it down knows.
fn met_twice(at: &Place, server: &ServerEntry) -> Vec<Problem> {
    let counted = |kind: PortKind| {
        let ports = server.ports.iter().enumerate();
        ports.filter(move |(_, port)| port.kind == kind && !port.check_only)
    };
    let warning = |(i, nic): (usize, &PortEntry)| {
        let (_, switch) = counted(PortKind::Switch).find(|(_, switch)| at_once(nic, switch))?;
        let says = format!(
            "counts beside switch port {:?} of device {:?}: both are added up; if they are the two ends of one cable, write \
             check_only = true at one of them",
            switch.interface, switch.device
        );
        Some(Problem { at: at.item("ports", i), says })
    };
    counted(PortKind::Nic).filter_map(warning).collect()
}

/// Whether two ports are the server's at the same time.
fn at_once(a: &PortEntry, b: &PortEntry) -> bool {
    let span = |port: &PortEntry| (port.from.map(|i| i.0), port.until.map(|i| i.0));
    overlap(span(a), span(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a server of a switch port and a NIC.
    fn check(switch: &str, nic: &str, says: &[&str]) {
        let document: Document = toml::from_str(&format!(
            "[[servers]]\nid = 'a'\nports = [{{ device = 'sw1', interface = 'x'{switch} }}, \
             {{ device = 'a', interface = 'eth0', kind = 'nic'{nic} }}]"
        ))
        .unwrap();
        let found: Vec<String> = warnings(&document).iter().map(ToString::to_string).collect();
        assert_eq!(found, says, "{switch} {nic}");
    }

    #[test]
    fn both_ends_of_a_cable_should_not_count() {
        let told = "server \"a\": ports[1]: counts beside switch port \"x\" of device \"sw1\": both are added up; if they are \
                    the two ends of one cable, write check_only = true at one of them";
        check("", "", &[told]);
        check("", ", check_only = true", &[]);
        check(", check_only = true", "", &[]);
        check(", until = 10", ", from = 10", &[]);
        check(", until = 11", ", from = 10", &[told]);
    }
}
