//! Draws the simulated site from a seed.

use meter95_reading::{PortKeyError, Timestamp};

use self::role::{NEW, UNREAD, role};
use self::wiring::Wiring;
use super::habit::{DAY_MS, EPOCH, mix};
use super::site::{Customer, Plan, Region, Server, Site, Unread};

mod role;
mod wiring;

/// The fewest servers: one of each special kind, and some to compare them with.
pub const SERVERS_MIN: usize = 10;
/// The most servers whose switches can be asked: two hundred agents on one machine.
pub const ASKED_SERVERS_MAX: usize = 5_000;
/// The most servers.
pub const SERVERS_MAX: usize = 100_000;

const TOKYO: &str = "tokyo";
const NAGOYA: &str = "nagoya";
/// A server that is new begins on the 8th of a month, 09:00 JST.
const NEW_DAY: i8 = 8;
const NEW_HOUR: i8 = 9;
/// One server was not read from the 10th of the month before on, for three days.
const UNREAD_FROM_DAYS: i64 = 9;
const UNREAD_UNTIL_DAYS: i64 = 12;
const TIME_ZONE: &str = "Asia/Tokyo";
/// Customers own five servers each, in the mean.
const SERVERS_PER_CUSTOMER: usize = 5;
const DOMAINS: [&str; 8] = ["sakura", "hinode", "kawa", "tsubame", "yama", "midori", "umi", "hoshi"];
const TRADES: [&str; 5] = ["Games", "Media", "Commerce", "Systems", "Hosting"];

impl Site {
    /// The site of `servers` servers ([`SERVERS_MIN`] to [`SERVERS_MAX`]; beyond them, the nearest) that `seed`
    /// draws, as it is at `now`.
    ///
    /// `now` decides three things only: the month in which the newest server began, the one of `now` when its 8th,
    /// 09:00 JST, is past, or else the one before; when those began, or ceased, that do something extreme for a
    /// while; and when one was not read.
    ///
    /// # Errors
    /// Never in practice: every name that is made here is one that a port can have.
    pub fn new(seed: u64, servers: usize, now: Timestamp) -> Result<Self, PortKeyError> {
        let servers = servers.clamp(SERVERS_MIN, SERVERS_MAX);
        let customers = customers(seed, servers);
        let mut wiring = Wiring::default();
        let digits = (servers - 1).to_string().len().max(4);
        let mut drawn = Vec::with_capacity(servers);
        for number in 0..servers {
            let role = role(seed, number, now);
            let id = format!("{}-{number:0digits$}", if role.region == TOKYO { "tky" } else { "ngo" });
            let owner = usize::try_from(mix(role.seed, 1)).unwrap_or(number) % customers.len().max(1);
            let customer = customers.get(owner).map(|customer| customer.id.clone()).unwrap_or_default();
            let since = if number == NEW { Some(newest_start(now)) } else { None };
            let alias = format!("{customer}:{id}");
            let ports = if role.connected { wiring.connect(&role, &alias, since)? } else { Vec::new() };
            drawn.push(Server {
                id,
                customer,
                region: role.region,
                plan: role.plan,
                service_start: since,
                addons: role.addons,
                ports,
                habit: role.habit,
                surge: role.surge,
            });
        }
        // A port that nobody has sold, with somebody on it.
        wiring.connect(&role(seed, servers, now).single_in(TOKYO), "", None)?;
        let unread = drawn.get(UNREAD).map_or_else(Vec::new, |server| unread(server, now));
        let (switches, uplinks) = wiring.finish(seed)?;
        Ok(Self {
            seed,
            regions: vec![Region { id: TOKYO, redundant: true }, Region { id: NAGOYA, redundant: false }],
            plans: plans(),
            customers,
            servers: drawn,
            switches,
            uplinks,
            unread,
        })
    }
}

fn plans() -> Vec<Plan> {
    vec![
        Plan { id: "line-100m", allowance_bps: 100_000_000, price_per_mbps: "700", currency: "JPY" },
        Plan { id: "std-1m", allowance_bps: 1_000_000, price_per_mbps: "1500", currency: "JPY" },
        Plan { id: "biz-5m", allowance_bps: 5_000_000, price_per_mbps: "1200", currency: "JPY" },
        Plan { id: "intl-1m", allowance_bps: 1_000_000, price_per_mbps: "12.50", currency: "USD" },
    ]
}

fn customers(seed: u64, servers: usize) -> Vec<Customer> {
    let pick = |words: &[&'static str], bits: u64| -> &'static str {
        let at = usize::try_from(bits).unwrap_or(0) % words.len().max(1);
        words.get(at).copied().unwrap_or("any")
    };
    let customers = servers.div_ceil(SERVERS_PER_CUSTOMER);
    let digits = customers.to_string().len().max(3);
    (1..=customers)
        .map(|number| {
            let seed = mix(seed, 0xC000 + number as u64);
            let (domain, trade) = (pick(&DOMAINS, seed), pick(&TRADES, seed >> 8));
            let id = format!("c{number:0digits$}");
            let email = format!("noc@{domain}-{id}.example");
            let japanese = number % 3 != 0;
            Customer { id, name: format!("{} {trade} {number}", capital(domain)), email, japanese }
        })
        .collect()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

/// The last 8th of a month, 09:00 JST, that is not after `now`; the epoch where the calendar ends.
fn newest_start(now: Timestamp) -> Timestamp {
    let start = || {
        let first = first_of_month(now)?;
        let of = |first: &jiff::Zoned| {
            let start = first.with().day(NEW_DAY).hour(NEW_HOUR).minute(0).second(0).subsec_nanosecond(0);
            start.build().ok().map(|start| Timestamp(start.timestamp().as_millisecond()))
        };
        match of(&first)? {
            start if start <= now => Some(start),
            _ => of(&first.checked_sub(jiff::Span::new().months(1)).ok()?),
        }
    };
    start().unwrap_or(EPOCH).max(EPOCH)
}

/// Some days of the month before `now`'s in which a server was not read, enough for its statement to be held.
fn unread(server: &Server, now: Timestamp) -> Vec<Unread> {
    let month = month_start(month_start(now).plus_ms(-1));
    let (from, until) = (month.plus_ms(UNREAD_FROM_DAYS * DAY_MS), month.plus_ms(UNREAD_UNTIL_DAYS * DAY_MS));
    server.ports.iter().map(|port| Unread { port: port.clone(), from, until }).collect()
}

/// When the month of `now` began in JST; the epoch where the calendar ends.
fn month_start(now: Timestamp) -> Timestamp {
    let start = first_of_month(now).and_then(|first| first.start_of_day().ok());
    start.map_or(EPOCH, |start| Timestamp(start.timestamp().as_millisecond())).max(EPOCH)
}

/// The first day of the month of `now`, at the hour of `now`.
fn first_of_month(now: Timestamp) -> Option<jiff::Zoned> {
    let zone = jiff::tz::TimeZone::get(TIME_ZONE).ok()?;
    jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone).first_of_month().ok()
}

#[cfg(test)]
mod tests;
