//! `meter95 token`: who may do what over the API.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use meter95_reading::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::show::{self, Format};
use super::site::{self, SiteArgs, user};
use crate::access::registry::TOKENS_MAX;
use crate::access::token::{Proof, Token, mint, new_id};
use crate::access::{Limit, Role};
use crate::audit::{Act, action};
use crate::clock;
use crate::collectors::check_name;
use crate::inventory::Inventory;
use crate::inventory::instant::{Instant, rfc3339};
use crate::store::connection::Store;

/// A day in ms.
const DAY_MS: i64 = 86_400_000;

/// The longest that a token may last in days, where it is said in days: ten years.
const DAYS_MAX: i64 = 3_653;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and print it once and for all
    #[command(after_help = "Examples:\n  meter95 token create alice --role admin\n  \
                      meter95 token create tokyo-1 --role collector --collector tokyo-1 > /etc/meter95/token\n  \
                      meter95 token create portal-c001 --role viewer --customer c001 --expires 90d\n\n\
                      The first token closes the service to everybody without one, for good. Only the token goes to \
                      standard output. Of it nothing but a hash is kept: whoever loses it makes another.")]
    Create(Box<CreateArgs>),
    /// List the tokens, without their secrets
    #[command(after_help = "Example:\n  meter95 token list --format json")]
    List(ListArgs),
    /// Make a token worth nothing, within seconds
    #[command(after_help = "Example:\n  meter95 token revoke tokyo-1")]
    Revoke(RevokeArgs),
}

/// Options of `meter95 token create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// How it is called, in lists and in the audit
    name: String,
    /// What its holder is there for
    #[arg(long, value_enum)]
    role: Role,
    /// Its holder sees only servers of this customer
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// Its holder sees only servers in this region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Its holder may ship as this collector only
    #[arg(long, value_name = "NAME")]
    collector: Option<String>,
    /// How long it lasts: until a date or an instant, or for so many days, as in 90d [default: until it is revoked]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Its holder shows this client certificate instead of a secret (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Who makes it [default: the user by the system's word]
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
}

/// Options of `meter95 token list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Options of `meter95 token revoke`.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// How it is called
    name: String,
    /// Who revokes it [default: the user by the system's word]
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
}

/// A token in a line.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    id: String,
    role: &'static str,
    customer: Option<String>,
    region: Option<String>,
    collector: Option<String>,
    proof: &'static str,
    state: &'static str,
    created_at: Instant,
    created_by: String,
    expires_at: Option<Instant>,
    revoked_at: Option<Instant>,
    revoked_by: Option<String>,
}

/// Carries the command out.
///
/// # Errors
/// When a token can't be, or the store can't be used.
pub async fn run(site: &SiteArgs, command: TokenCommand) -> anyhow::Result<()> {
    let store = site.site()?.store().await?;
    let came_of = match command {
        TokenCommand::Create(args) => create(&store, *args).await,
        TokenCommand::List(args) => list(&store, args.format).await,
        TokenCommand::Revoke(args) => revoke(&store, args).await,
    };
    store.close().await?;
    came_of
}

async fn create(store: &Store, args: CreateArgs) -> anyhow::Result<()> {
    let CreateArgs { name, role, customer, region, collector, expires, certificate, by } = args;
    let (now, by) = (clock::now(), by.unwrap_or_else(user));
    check_name(&name).with_context(|| format!("{name:?} is no name of a token"))?;
    check_name(&by).context("--by")?;
    if let Some(collector) = &collector {
        ensure!(role == Role::Collector, "--collector is for the role collector");
        check_name(collector).context("--collector")?;
    }
    let limit = Limit { customer, region };
    ensure!(
        limit.is_none() || role != Role::Collector,
        "a collector ships readings of whatever it reads: --customer and --region are for other roles"
    );
    let (_, _, inventory) = site::inventory(store).await?;
    check_limit(&limit, &inventory)?;
    let expires_at = expires.map(|text| expiry(&text, now, &inventory.timezone)).transpose()?;
    let (id, proof, secret) = match certificate {
        Some(path) => (new_id(), Proof::Certificate(fingerprint(&path)?), None),
        None => {
            let minted = mint();
            (minted.id, minted.proof, Some(minted.token))
        }
    };
    let token = Token {
        id,
        name,
        proof,
        role,
        limit,
        collector,
        created_at: now,
        created_by: by.clone(),
        expires_at,
        revoked: None,
    };
    let (left, ever) = store.tokens_left().await?;
    let in_force: Vec<&Token> = left.iter().filter(|token| token.is_in_force(now)).collect();
    ensure!(
        in_force.len() < TOKENS_MAX,
        "{TOKENS_MAX} tokens are in force, and there may be no more; revoke those that nobody uses"
    );
    for other in in_force {
        if other.name == token.name {
            bail!("there is a token {:?} already; revoke it first, or take another name", token.name);
        }
        if matches!(token.proof, Proof::Certificate(_)) && other.proof == token.proof {
            bail!("the token {:?} is proved by this certificate already", other.name);
        }
    }
    let act = Act::new(action::TOKEN_CREATE, &token.name).by(&by);
    let put = async { Ok(store.put_token(&token).await?) };
    site::audited(store, act, put, |()| after(&token)).await?;
    let what = match &secret {
        Some(secret) => {
            show::line(secret.expose());
            "It is shown this once"
        }
        None => "Its holder shows the certificate",
    };
    let until = token
        .expires_at
        .map_or_else(|| "until it is revoked".to_owned(), |at| format!("until {}", rfc3339(at)));
    eprintln!("Token {:?} of the role {} holds {until}. {what}.", token.name, token.role.name());
    if !ever {
        eprintln!(
            "It is this site's first: from now on nobody gets in without one. A service that runs takes it up within \
             seconds; one that listens on 127.0.0.1 for lack of tokens listens where it should after a restart."
        );
    }
    Ok(())
}

/// What is kept of a token, but for the proof.
fn after(token: &Token) -> Value {
    json!({
        "id": token.id, "role": token.role, "customer": token.limit.customer, "region": token.limit.region,
        "collector": token.collector, "expires_at": token.expires_at.map(Instant), "proof": proof(&token.proof),
    })
}

fn proof(proof: &Proof) -> &'static str {
    match proof {
        Proof::Secret(_) => "secret",
        Proof::Certificate(_) => "certificate",
    }
}

/// Refuses a limit to what is not there: nobody would see anything.
fn check_limit(limit: &Limit, inventory: &Inventory) -> anyhow::Result<()> {
    let servers = || inventory.servers.values();
    if let Some(customer) = &limit.customer {
        let known = inventory.customers.contains_key(customer)
            || servers().any(|server| server.customer == *customer);
        ensure!(known, "there is no customer {customer:?} in the inventory");
    }
    if let Some(region) = &limit.region {
        let known =
            inventory.regions.contains_key(region) || servers().any(|server| server.region == *region);
        ensure!(known, "there is no region {region:?} in the inventory");
    }
    Ok(())
}

/// When a token ends: as an instant, the first of a day in the billing time zone, or some days from now.
fn expiry(text: &str, now: Timestamp, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    let wrong =
        || format!("--expires {text:?}: write a date such as 2027-01-01, an instant, or days such as 90d");
    let at = if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()) {
        ensure!((1..=DAYS_MAX).contains(&days), "--expires {text:?}: it must be 1d to {DAYS_MAX}d");
        now.plus_ms(days * DAY_MS)
    } else if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == "2027-01-01".len()
    {
        let midnight = date.to_zoned(zone.clone()).with_context(wrong)?;
        Timestamp(midnight.timestamp().as_millisecond())
    } else {
        text.parse::<Instant>().with_context(wrong)?.0
    };
    ensure!(at > now, "--expires {text:?}: that is over");
    Ok(at)
}

/// The SHA-256 of the first certificate of a PEM file.
fn fingerprint(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let certificate = CertificateDer::from_pem_slice(&text)
        .with_context(|| format!("{} has no certificate in PEM", path.display()))?;
    Ok(Sha256::digest(&certificate).into())
}

async fn list(store: &Store, format: Format) -> anyhow::Result<()> {
    let now = clock::now();
    let lines: Vec<Line> = store.tokens().await?.into_iter().map(|token| Line::of(token, now)).collect();
    match format {
        Format::Json => show::json(&lines),
        Format::Csv => show::csv(lines),
        Format::Table if lines.is_empty() => {
            show::line(
                "No token was ever made: everybody on the service's machine may do everything. Make the first: \
                 meter95 token create NAME --role admin",
            );
            Ok(())
        }
        Format::Table => {
            let columns =
                ["Name", "Role", "Sees", "Proof", "State", "Made", "By", "Expires"].map(|c| (c, false));
            let rows = lines.into_iter().map(|line| {
                let sees =
                    [("customer", &line.customer), ("region", &line.region), ("ships as", &line.collector)];
                let sees: Vec<String> = sees
                    .into_iter()
                    .filter_map(|(what, of)| Some(format!("{what} {}", of.as_ref()?)))
                    .collect();
                let sees = if sees.is_empty() { "-".to_owned() } else { sees.join(", ") };
                vec![
                    line.name,
                    line.role.to_owned(),
                    sees,
                    line.proof.to_owned(),
                    line.state.to_owned(),
                    rfc3339(line.created_at.0),
                    line.created_by,
                    line.expires_at.map_or_else(|| "-".to_owned(), |at| rfc3339(at.0)),
                ]
            });
            show::line(show::table(&columns, rows));
            Ok(())
        }
    }
}

impl Line {
    fn of(token: Token, now: Timestamp) -> Self {
        let state = match (&token.revoked, token.is_in_force(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "in force",
            (None, false) => "expired",
        };
        let (revoked_at, revoked_by) = token.revoked.unzip();
        Self {
            name: token.name,
            id: token.id,
            role: token.role.name(),
            customer: token.limit.customer,
            region: token.limit.region,
            collector: token.collector,
            proof: proof(&token.proof),
            state,
            created_at: Instant(token.created_at),
            created_by: token.created_by,
            expires_at: token.expires_at.map(Instant),
            revoked_at: revoked_at.map(Instant),
            revoked_by,
        }
    }
}

async fn revoke(store: &Store, args: RevokeArgs) -> anyhow::Result<()> {
    let RevokeArgs { name, by } = args;
    let (now, by) = (clock::now(), by.unwrap_or_else(user));
    check_name(&by).context("--by")?;
    let (left, _) = store.tokens_left().await?;
    // Two processes may have made two of a name at once.
    let found: Vec<Token> = left.into_iter().filter(|token| token.name == name).collect();
    if found.is_empty() {
        bail!("no token {name:?} is in force; `meter95 token list` lists them");
    }
    for token in found {
        let act = Act::new(action::TOKEN_REVOKE, &token.name).by(&by).before(after(&token));
        let revoked = Token { revoked: Some((now, by.clone())), ..token };
        let put = async { Ok(store.put_token(&revoked).await?) };
        site::audited(store, act, put, |()| Value::Null).await?;
    }
    show::line(format_args!(
        "Token {name:?} is worth nothing from now on; a service that runs knows within seconds."
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries() {
        let now = Timestamp(1_795_629_600_000);
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        for (text, at) in [
            ("90d", Some(now.0 + 90 * DAY_MS)),
            ("2027-01-01", Some(1_798_729_200_000)),
            ("2027-01-01T00:00:00Z", Some(1_798_761_600_000)),
            ("1798761600000", Some(1_798_761_600_000)),
            ("0d", None),
            ("-1d", None),
            ("99999d", None),
            ("2020-01-01", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(expiry(text, now, &zone).ok(), at.map(Timestamp), "{text}");
        }
    }
}
