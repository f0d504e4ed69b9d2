//! Which interfaces are metered.

use std::collections::BTreeSet;

use crate::{Interface, Kind};

/// Which of this host's interfaces are metered.
///
/// The rule leaves out loopback and everything without a device behind it: what a bridge, a bond, a VLAN or a
/// tunnel carries passes through hardware too, and is counted there. It does not ask whether an interface is up:
/// one that is down stands still, and that is a figure. Names given by the operator always win, whatever they
/// name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    /// The rule: every interface of [`Kind::Hardware`].
    #[default]
    Hardware,
    /// These names and no others, of whatever kind.
    Named(BTreeSet<String>),
}

impl Selection {
    /// Whether an interface of this name and kind is metered.
    #[must_use]
    pub fn takes(&self, name: &str, kind: Kind) -> bool {
        match self {
            Self::Hardware => kind == Kind::Hardware,
            Self::Named(names) => names.contains(name),
        }
    }

    /// The names that were asked for and are not among `present`.
    pub(crate) fn missing<'a>(
        &'a self,
        present: impl Iterator<Item = &'a Interface>,
    ) -> impl Iterator<Item = &'a str> {
        let present: BTreeSet<&str> = present.map(|interface| interface.name.as_str()).collect();
        let names = match self {
            Self::Hardware => None,
            Self::Named(names) => Some(names),
        };
        names.into_iter().flatten().map(String::as_str).filter(move |name| !present.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_win_over_the_rule() {
        let named = Selection::Named(["veth0".to_owned(), "lo".to_owned()].into());
        for (name, kind, by_rule, by_name) in [
            ("eth0", Kind::Hardware, true, false),
            ("lo", Kind::Loopback, false, true),
            ("veth0", Kind::Virtual, false, true),
            ("br0", Kind::Virtual, false, false),
        ] {
            assert_eq!(Selection::Hardware.takes(name, kind), by_rule, "{name} by the rule");
            assert_eq!(named.takes(name, kind), by_name, "{name} by name");
        }
    }
}
