//! Pools: members of one customer, each in one pool at a time, for whole billing months.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use meter95_reading::Timestamp;

use super::servers::Known;
use super::{Problems, overlap, plans};
use crate::inventory::Server;
use crate::inventory::document::{Document, MemberEntry, PoolEntry};
use crate::inventory::instant::rfc3339;
use crate::inventory::place::{Kind, Place};
use crate::inventory::pool::{Member, Pool};
use crate::metering::period::Month;

/// When a server is in which pool.
type Memberships<'a> = HashMap<&'a str, Vec<(&'a str, Member)>>;

/// The pools of `document` by id.
pub(super) fn pools(
    problems: &mut Problems,
    document: &Document,
    known: &Known<'_>,
    servers: &BTreeMap<String, Server>,
    timezone: Option<&TimeZone>,
) -> BTreeMap<String, Pool> {
    let mut pools = BTreeMap::new();
    let mut memberships = Memberships::new();
    for (i, entry) in document.pools.iter().enumerate() {
        let at = Place::entry(Kind::Pool, i, &entry.id);
        problems.name(&at, "id", &entry.id);
        if servers.contains_key(&entry.id) {
            problems.add(&at.on("id"), "a server has this id as well");
        }
        problems.text(&at, "customer", &entry.customer);
        problems.listed(&at, "customer", Kind::Customer, &entry.customer, known.customers);
        plans::known(problems, &at.on("plan"), &entry.plan, known.plans);
        let members: Vec<Member> = entry
            .servers
            .iter()
            .enumerate()
            .map(|(i, member)| {
                let at = at.item("servers", i);
                check_server(problems, &at, entry, member, servers);
                let member = months(problems, &at, member, timezone);
                join(problems, &at, &entry.id, &entry.servers[i].server, &member, &mut memberships);
                member
            })
            .collect();
        let (id, customer, plan) = (entry.id.clone(), entry.customer.clone(), entry.plan.clone());
        problems.insert(&at, &mut pools, Pool { id, customer, plan, members });
    }
    pools
}

fn check_server(
    problems: &mut Problems,
    at: &Place,
    pool: &PoolEntry,
    entry: &MemberEntry,
    servers: &BTreeMap<String, Server>,
) {
    match servers.get(&entry.server) {
        None => problems.add(&at.on("server"), format!("there is no server {:?}", entry.server)),
        Some(server) if server.customer != pool.customer => {
            let (theirs, ours) = (&server.customer, &pool.customer);
            let says = format!("server {:?} is of customer {theirs:?}, the pool of {ours:?}", entry.server);
            problems.add(&at.on("server"), says);
        }
        Some(_) => {}
    }
}

/// The member, with a problem where it does not come and go with a month.
fn months(problems: &mut Problems, at: &Place, entry: &MemberEntry, timezone: Option<&TimeZone>) -> Member {
    let (from, until) = problems.span(at, ["from", "until"], entry.from, entry.until);
    for (field, time) in [("from", from), ("until", until)] {
        if let (Some(time), Some(timezone)) = (time, timezone)
            && let Some(says) = not_a_months_start(time, timezone)
        {
            problems.add(&at.on(field), format!("{field} {says}"));
        }
    }
    Member { server: entry.server.clone(), from, until }
}

/// What is wrong with `time` as the beginning of a month, and the nearest ones.
fn not_a_months_start(time: Timestamp, timezone: &TimeZone) -> Option<String> {
    let shown = rfc3339(time);
    let Some(month) = Month::of(time, timezone) else {
        return Some(format!("{shown} is in no month"));
    };
    let (first, next) = month.span(timezone);
    (time != first).then(|| {
        let [first, next] = [first, next].map(|time| local(time, timezone));
        format!("{shown} is not the first instant of a month; the nearest are {first} and {next}")
    })
}

/// `time` as RFC 3339 with the offset of `timezone`, since that is where it is midnight.
fn local(time: Timestamp, timezone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(instant) => instant.display_with_offset(timezone.to_offset(instant)).to_string(),
        Err(_) => rfc3339(time),
    }
}

/// Notes a membership, with a problem where the server is in a pool already.
fn join<'a>(
    problems: &mut Problems,
    at: &Place,
    pool: &'a str,
    server: &'a str,
    member: &Member,
    memberships: &mut Memberships<'a>,
) {
    let others = memberships.entry(server).or_default();
    let span = (member.from, member.until);
    if let Some((other, _)) = others.iter().find(|(_, other)| overlap((other.from, other.until), span)) {
        let says = format!("server {server:?} is in pool {other:?} at the same time");
        problems.add(&at.on("server"), says);
    }
    others.push((pool, member.clone()));
}
