//! The configuration that a person puts into a device to limit a server, or to take the limit off. The software never
//! touches a device by itself.
//!
//! People paste this into routers, so names go into it only when they are harmless there: a name with any character that
//! a syntax could take for something else is refused, not quoted.

use serde::Serialize;

use super::case::{Case, Limit, State};
use super::templates::{TemplateError, Templates};
use crate::inventory::Binding;
use crate::inventory::instant::rfc3339;
use crate::metering::sample::PortKind;

/// The kind for Linux, where a server's own interface can be limited too.
pub const TC: &str = "tc";

/// The longest name of an interface on Linux, in octets (IFNAMSIZ without its end).
const LINUX_OCTETS_MAX: usize = 15;

/// The longest name of an interface or a device elsewhere, in octets.
const NAME_OCTETS_MAX: usize = 64;

/// The least burst, in octets: two packets of the largest size that Linux hands over as one.
const BURST_OCTETS_MIN: u64 = 131_072;

/// A burst is what passes at the limit in a twentieth of a second, so bits / 8 / 20.
const BURST_DIVISOR: u64 = 160;

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnippetError {
    /// There is no limit to speak of.
    #[error("case {case} is {state}: there is configuration for a case that is approved or applied{}", if *.lift { ", and after that to lift it" } else { "" })]
    NotNow {
        /// The case.
        case: u64,
        /// How it stands.
        state: State,
        /// Whether to take the limit off.
        lift: bool,
    },
    /// There is no template for such a device.
    #[error("there is no configuration for {kind:?}; there is for {}", .kinds.join(", "))]
    Kind {
        /// What was asked for.
        kind: String,
        /// What there is.
        kinds: Vec<String>,
    },
    /// Nothing to limit.
    #[error("server {server:?} has no port on which {kind} could limit it")]
    NoPort {
        /// The server.
        server: String,
        /// The kind of device.
        kind: String,
    },
    /// Names for other ports than there are.
    #[error("{given} names of interfaces are given, and there are {ports} ports to limit")]
    Interfaces {
        /// Names that are given.
        given: usize,
        /// Ports to limit.
        ports: usize,
    },
    /// A name that is not harmless in a configuration.
    #[error("{what} {name:?} can't go into a configuration: {says}")]
    Name {
        /// What it is a name of.
        what: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        says: &'static str,
    },
    /// The template does not work.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// What a template for a device is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Values {
    /// The case's number.
    pub case: u64,
    /// The server, with `_` for every character that could harm.
    pub server: String,
    /// The limit of the server as a whole, in bit/s.
    pub cap_bps: u64,
    /// Until when it should stay, in RFC 3339.
    pub until: String,
    /// Whether to take the limit off.
    pub lift: bool,
    /// A name for policies and filters.
    pub name: String,
    /// The ports, at least one.
    pub ports: Vec<Port>,
}

/// A port of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// The device.
    pub device: String,
    /// What the device calls it (ifName).
    pub interface: String,
    /// The same without a unit, as in `ge-0/0/1` for `ge-0/0/1.0`.
    pub physical: String,
    /// The unit, 0 where the name has none.
    pub unit: u32,
    /// `switch` or `nic`.
    pub kind: PortKind,
    /// Its part of the limit, in bit/s; never 0.
    pub rate_bps: u64,
    /// The same in kbit/s, rounded down; never 0.
    pub rate_kbps: u64,
    /// What may pass at once, in octets.
    pub burst_octets: u64,
    /// On Linux, the interface by which what arrives is limited.
    pub ifb: String,
}

/// What is to be configured.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// For which kind of device.
    pub kind: &'a str,
    /// Whether to take the limit off.
    pub lift: bool,
    /// What the interfaces are called where this is put in, one a port in their order; as in the inventory where none is given.
    pub interfaces: &'a [String],
}

/// The configuration for a kind of device that limits the server of a case, or takes the limit off: of the ports in
/// `bindings`, those that belong to the server now.
///
/// # Errors
/// When there is no limit, no port or no template, or a name would not be harmless.
pub fn render(
    templates: &Templates,
    case: &Case,
    bindings: &[&Binding],
    wanted: Wanted<'_>,
) -> Result<String, SnippetError> {
    let Wanted { kind, lift, .. } = wanted;
    let limited = match case.state {
        State::Approved | State::Applied => true,
        State::Lifted => lift,
        State::Open | State::Notified | State::Dismissed | State::Resolved => false,
    };
    if !limited {
        return Err(SnippetError::NotNow { case: case.id, state: case.state, lift });
    }
    let kinds = templates.kinds();
    if !kinds.iter().any(|known| known == kind) {
        return Err(SnippetError::Kind { kind: kind.to_owned(), kinds });
    }
    let values = values(case, bindings, wanted)?;
    let rendered = templates.snippet(kind, &values);
    Ok(rendered.ok_or_else(|| SnippetError::Kind { kind: kind.to_owned(), kinds })??)
}

/// What the template is given. A server's own interface is limited on Linux, where it has one; else its switch ports are.
fn values(case: &Case, bindings: &[&Binding], wanted: Wanted<'_>) -> Result<Values, SnippetError> {
    let Wanted { kind, lift, interfaces } = wanted;
    let of = |wanted: PortKind| bindings.iter().filter(move |binding| binding.kind == wanted);
    let (nics, switches) = (of(PortKind::Nic).count(), of(PortKind::Switch).count());
    let chosen = match (kind == TC, nics, switches) {
        (_, 0, 0) => {
            return Err(SnippetError::NoPort { server: case.server().to_owned(), kind: kind.to_owned() });
        }
        (true, 1.., _) => PortKind::Nic,
        (false, _, 0) => {
            return Err(SnippetError::NoPort { server: case.server().to_owned(), kind: kind.to_owned() });
        }
        (true, 0, _) | (false, _, _) => PortKind::Switch,
    };
    let Limit { cap_bps, until } = case.limit();
    let count = of(chosen).count();
    if !interfaces.is_empty() && interfaces.len() != count {
        return Err(SnippetError::Interfaces { given: interfaces.len(), ports: count });
    }
    let rate_bps = (cap_bps.0 / u64::try_from(count).unwrap_or(u64::MAX).max(1)).max(1);
    let ports = of(chosen).enumerate().map(|(at, binding)| {
        let interface = interfaces.get(at).map_or(binding.port.interface(), String::as_str);
        port(kind, case, binding, interface, (rate_bps, at + 1))
    });
    Ok(Values {
        case: case.id,
        server: harmless(case.server()),
        cap_bps: cap_bps.0,
        until: rfc3339(until.0),
        lift,
        name: format!("METER95-{}", case.id),
        ports: ports.collect::<Result<_, _>>()?,
    })
}

fn port(
    kind: &str,
    case: &Case,
    binding: &Binding,
    interface: &str,
    (rate_bps, number): (u64, usize),
) -> Result<Port, SnippetError> {
    let device = binding.port.device();
    check("device", device, "/._:-", NAME_OCTETS_MAX)?;
    if kind == TC {
        check("interface", interface, "._-", LINUX_OCTETS_MAX)?;
    } else {
        check("interface", interface, "/._:-", NAME_OCTETS_MAX)?;
    }
    let ifb = format!("m95c{}p{number}", case.id);
    if kind == TC {
        check("interface", &ifb, "", LINUX_OCTETS_MAX)?;
    }
    let unit = interface.rsplit_once('.').and_then(|(name, unit)| Some((name, unit.parse().ok()?)));
    let (physical, unit) = unit.unwrap_or((interface, 0));
    Ok(Port {
        device: device.to_owned(),
        interface: interface.to_owned(),
        physical: physical.to_owned(),
        unit,
        kind: binding.kind,
        rate_bps,
        rate_kbps: (rate_bps / 1_000).max(1),
        burst_octets: (rate_bps / BURST_DIVISOR).max(BURST_OCTETS_MIN),
        ifb,
    })
}

/// Refuses a name that is not letters, digits and `marks` of ASCII, or does not begin with a letter or a digit.
fn check(what: &'static str, name: &str, marks: &str, octets_max: usize) -> Result<(), SnippetError> {
    let wrong = |says| Err(SnippetError::Name { what, name: name.chars().take(100).collect(), says });
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return wrong("it does not begin with a letter or a digit of ASCII");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c)) {
        return wrong("it has other characters than letters and digits of ASCII and what the syntax takes");
    }
    if name.len() > octets_max {
        return wrong("it is longer than such a name may be");
    }
    Ok(())
}

/// A name for a comment.
fn harmless(name: &str) -> String {
    let one = |c: char| if c.is_ascii_alphanumeric() || "/._:-".contains(c) { c } else { '_' };
    name.chars().take(NAME_OCTETS_MAX).map(one).collect()
}

/// Values with which templates are tried out.
pub(super) fn example(ports: u32, lift: bool) -> Values {
    let port = |number: u32| Port {
        device: "sw1".to_owned(),
        interface: format!("ge-0/0/{number}"),
        physical: format!("ge-0/0/{number}"),
        unit: 0,
        kind: PortKind::Switch,
        rate_bps: 20_000_000,
        rate_kbps: 20_000,
        burst_octets: BURST_OCTETS_MIN,
        ifb: format!("m95c12p{number}"),
    };
    Values {
        case: 12,
        server: "web01".to_owned(),
        cap_bps: 20_000_000 * u64::from(ports),
        until: "2026-11-30T15:00:00Z".to_owned(),
        lift,
        name: "METER95-12".to_owned(),
        ports: (1..=ports).map(port).collect(),
    }
}

#[cfg(test)]
mod tests;
