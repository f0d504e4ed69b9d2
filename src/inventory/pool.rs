//! Servers of one customer that are billed as one, month by month.

use std::collections::HashMap;

use meter95_reading::Timestamp;

use super::{Inventory, Server, holds_at};
use crate::metering::period::SlotSpan;

/// Servers that are billed as one by the terms of one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its name, which is no server's.
    pub id: String,
    /// Who pays for it, and for every member.
    pub customer: String,
    /// The id of the plan whose terms count; its own allowance does not.
    pub plan: String,
    /// The members, each for whole billing months.
    pub members: Vec<Member>,
}

/// A server that belongs to a pool for a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The server's id.
    pub server: String,
    /// From when, a month's first instant; `None` since ever.
    pub from: Option<Timestamp>,
    /// Until before when, a month's first instant; `None` without end.
    pub until: Option<Timestamp>,
}

impl Member {
    /// Whether the server belongs to the pool at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        holds_at(self.from, self.until, time)
    }
}

impl Inventory {
    /// The pool with which a server is billed for `month`, that is, whose member it is at the month's start.
    #[must_use]
    pub fn pool_of(&self, server_id: &str, month: SlotSpan) -> Option<&Pool> {
        let start = month.from.start();
        let has = |pool: &&Pool| pool.members.iter().any(|m| m.server == server_id && m.holds_at(start));
        self.pools.values().find(has)
    }

    /// As [`Inventory::pool_of`], of every server that is a member of one.
    #[must_use]
    pub fn pools_by_server(&self, month: SlotSpan) -> HashMap<&str, &Pool> {
        let start = month.from.start();
        let mut found = HashMap::new();
        for pool in self.pools.values() {
            for member in pool.members.iter().filter(|member| member.holds_at(start)) {
                found.entry(member.server.as_str()).or_insert(pool);
            }
        }
        found
    }

    /// The servers that are billed together in `pool` for `month`, in the order in which it lists them: its members at
    /// the month's start that are in service in it.
    #[must_use]
    pub fn members_in(&self, pool: &Pool, month: SlotSpan) -> Vec<&Server> {
        let start = month.from.start();
        let members = pool.members.iter().filter(|member| member.holds_at(start));
        let servers = members.filter_map(|member| self.servers.get(&member.server));
        servers.filter(|server| !month.intersect(server.service_slots()).is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::document::Document;
    use crate::metering::period::Month;

    #[test]
    fn membership_runs_by_months() {
        let document: Document = toml::from_str(
            "[[servers]]\nid = 'a'\n[[servers]]\nid = 'b'\nservice_end = '2026-10-20T00:00:00+09:00'\n\
             [[servers]]\nid = 'c'\n[[servers]]\nid = 'd'\n\
             [[pools]]\nid = 'p'\nservers = [{ server = 'b' }, { server = 'a', until = '2026-11-01T00:00:00+09:00' }]\n\
             [[pools]]\nid = 'q'\nservers = [{ server = 'a', from = '2026-11-01T00:00:00+09:00' }, { server = 'c' }]\n",
        )
        .unwrap();
        let inventory = Inventory::from_document(&document).unwrap();
        for (month, pools, members) in [
            ("2026-10", [Some("p"), Some("p"), Some("q"), None], [vec!["b", "a"], vec!["c"]]),
            ("2026-11", [Some("q"), Some("p"), Some("q"), None], [vec![], vec!["a", "c"]]),
        ] {
            let month = month.parse::<Month>().unwrap().slots(&inventory.timezone);
            let pool = |server| inventory.pool_of(server, month).map(|pool| pool.id.as_str());
            assert_eq!(["a", "b", "c", "d"].map(pool), pools);
            let by_server = inventory.pools_by_server(month);
            let pool = |server| by_server.get(server).map(|pool| pool.id.as_str());
            assert_eq!(["a", "b", "c", "d"].map(pool), pools);
            let ids = |pool| {
                let servers = inventory.members_in(&inventory.pools[pool], month);
                servers.iter().map(|server| server.id.as_str()).collect::<Vec<_>>()
            };
            assert_eq!(["p", "q"].map(ids), members);
        }
    }
}
