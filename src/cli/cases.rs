//! `meter95 cases`: servers that use far more than they should, and what is done about them. [`args`] are the options,
//! [`print`] how cases are printed.

pub mod args;
mod print;

use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::json;

use super::show::{self, Format};
use super::site::{self, Site, SiteArgs, audited, user};
use crate::audit::{Act, action};
use crate::clock;
use crate::closing::desk::Word;
use crate::collectors::check_name;
use crate::inventory::{Contact, Inventory};
use crate::metering::units::Bps;
use crate::store::connection::Store;
use crate::throttle::case::Case;
use crate::throttle::contact;
use crate::throttle::desk::{Cases, Filter};
use crate::throttle::snippet::{self, Wanted};
use crate::throttle::step::{Attempt, SERVICE};
use crate::throttle::templates::Templates;
use crate::throttle::view::{Shown, told};
use args::{CasesCommand, ListArgs, SaidArgs, ShowArgs, SnippetArgs, TriedArgs};

/// Carries the command out.
///
/// # Errors
/// When a step can't be taken, or the store can't be used.
pub async fn run(site: &SiteArgs, command: CasesCommand) -> anyhow::Result<()> {
    let site = site.site()?;
    let store = site.store().await?;
    let cases = Cases::new(store.clone(), &site.data_dir);
    let came_of = carry_out(&site, &store, &cases, command).await;
    cases.stop().await;
    drop(cases);
    store.close().await?;
    came_of
}

async fn carry_out(site: &Site, store: &Store, cases: &Cases, command: CasesCommand) -> anyhow::Result<()> {
    let (name, case, said) = match &command {
        CasesCommand::List(_)
        | CasesCommand::Show(_)
        | CasesCommand::Contact(_)
        | CasesCommand::Snippet(_) => {
            return tell(site, store, cases, command).await;
        }
        CasesCommand::Notify(args) => ("notify", args.id, &args.said),
        CasesCommand::Approve(args) => ("approve", args.id, &args.said),
        CasesCommand::Apply(args) => ("apply", args.id, &args.said),
        CasesCommand::Lift(args) => ("lift", args.id, &args.said),
        CasesCommand::Dismiss(args) => ("dismiss", args.id, &args.said),
        CasesCommand::Reopen(args) => ("reopen", args.id, &args.said),
        CasesCommand::Snooze(args) => ("snooze", args.id, &args.said),
        CasesCommand::Wake(args) => ("wake", args.id, &args.said),
        CasesCommand::Note(args) => ("note", args.id, &args.said),
        CasesCommand::Answer(args) => ("answer", args.id, &args.said),
        CasesCommand::Attempt(args) => ("attempt", args.id, &args.said),
    };
    let word = word(said)?;
    let before = cases.get(case).await?;
    let act = Act::new(format!("{}{name}", action::CASE), case).by(&word.by);
    let act = act.before(json!({ "state": before.state, "server": before.server(), "why": word.reason }));
    let taken = audited(store, act, step(store, cases, command, &word), |case| told(case)).await;
    let case = taken?;
    print::stands(&case);
    Ok(())
}

/// What changes nothing.
async fn tell(site: &Site, store: &Store, cases: &Cases, command: CasesCommand) -> anyhow::Result<()> {
    match command {
        CasesCommand::List(args) => list(cases, args).await,
        CasesCommand::Show(args) => show_one(cases, args).await,
        CasesCommand::Contact(args) => contact_next(site, store, cases, args).await,
        CasesCommand::Snippet(args) => snippet_of(site, store, cases, args).await,
        _ => bail!("this is a step of a case"),
    }
}

async fn step(store: &Store, cases: &Cases, command: CasesCommand, word: &Word) -> anyhow::Result<Arc<Case>> {
    Ok(match command {
        CasesCommand::Notify(args) => cases.notify(args.id, word).await?,
        CasesCommand::Approve(args) => cases.approve(args.id, word).await?,
        CasesCommand::Apply(args) => cases.apply(args.id, args.cap_bps.map(Bps), args.until, word).await?,
        CasesCommand::Lift(args) => cases.lift(args.id, word).await?,
        CasesCommand::Dismiss(args) => cases.dismiss(args.id, word).await?,
        CasesCommand::Reopen(args) => cases.reopen(args.id, word).await?,
        CasesCommand::Snooze(args) => cases.snooze(args.id, args.until, word).await?,
        CasesCommand::Wake(args) => cases.wake(args.id, word).await?,
        CasesCommand::Note(args) => cases.note(args.id, word).await?,
        CasesCommand::Answer(args) => cases.answered(args.id, word).await?,
        CasesCommand::Attempt(args) => tried(store, cases, args, word).await?,
        CasesCommand::List(_)
        | CasesCommand::Show(_)
        | CasesCommand::Contact(_)
        | CasesCommand::Snippet(_) => {
            bail!("this is no step of a case")
        }
    })
}

/// Who acts and why.
fn word(said: &SaidArgs) -> anyhow::Result<Word> {
    let by = said.by.clone().unwrap_or_else(user);
    check_name(&by).context("--by")?;
    if by == SERVICE {
        bail!("--by: {SERVICE} is the service's own name; say yours");
    }
    Ok(Word { by, now: clock::now(), reason: said.why.clone() })
}

async fn list(cases: &Cases, args: ListArgs) -> anyhow::Result<()> {
    let ListArgs { state, open, server, customer, region, format } = args;
    let filter = Filter { state, open: open.then_some(true), server, customer, region };
    let found = match &filter.server {
        Some(server) => {
            let mut all = cases.of_server(server).await?;
            all.retain(|case| filter.takes(case));
            all.reverse();
            all
        }
        None => cases.list(&filter).await?,
    };
    match format {
        Format::Json => show::json(&found.iter().map(|case| Shown::brief(case)).collect::<Vec<_>>()),
        Format::Csv => show::csv(found.iter().map(|case| print::Line::of(case))),
        Format::Table => {
            print::list(&found);
            Ok(())
        }
    }
}

async fn show_one(cases: &Cases, args: ShowArgs) -> anyhow::Result<()> {
    let case = cases.get(args.id).await?;
    match args.format {
        Format::Json => show::json(&Shown::whole(&case)),
        Format::Csv => show::csv([print::Line::of(&case)]),
        Format::Table => {
            print::whole(&case, args.lang.into());
            Ok(())
        }
    }
}

fn contacts<'a>(inventory: &'a Inventory, case: &Case) -> &'a [Contact] {
    let customer = inventory.customers.get(&case.recommendation.customer);
    customer.map(|customer| customer.contacts.as_slice()).unwrap_or_default()
}

async fn contact_next(site: &Site, store: &Store, cases: &Cases, args: ShowArgs) -> anyhow::Result<()> {
    let case = cases.get(args.id).await?;
    let (_, _, inventory) = site::inventory(store).await?;
    let contacts = contacts(&inventory, &case);
    let plan = contact::plan(&case, contacts, site.config.throttle.rounds(), clock::now());
    match args.format {
        Format::Json => show::json(&plan),
        Format::Csv => show::csv(&plan.attempts),
        Format::Table => {
            print::plan(&case, contacts, &plan);
            Ok(())
        }
    }
}

async fn tried(store: &Store, cases: &Cases, args: TriedArgs, word: &Word) -> anyhow::Result<Arc<Case>> {
    let case = cases.get(args.id).await?;
    let name = match args.name {
        Some(name) => name,
        None => {
            let (_, _, inventory) = site::inventory(store).await?;
            let contacts = contacts(&inventory, &case);
            let at = usize::try_from(args.contact).unwrap_or(usize::MAX).checked_sub(1);
            let found = at.and_then(|at| contacts.get(at)).map(|contact| contact.name.clone());
            found.with_context(|| {
                let known = show::counted(contacts.len() as u64, "contact");
                format!(
                    "the customer has {known}; say --contact N from 1 on, or --name NAME for anybody else"
                )
            })?
        }
    };
    let attempt = Attempt {
        round: args.round.unwrap_or_else(|| case.round()),
        contact: args.contact,
        name,
        channel: args.channel,
        outcome: args.outcome,
        detail: args.detail,
    };
    Ok(cases.attempt(args.id, attempt, word).await?)
}

async fn snippet_of(site: &Site, store: &Store, cases: &Cases, args: SnippetArgs) -> anyhow::Result<()> {
    let (templates, problems) = Templates::read(site.config.throttle.templates.as_deref());
    for problem in problems {
        tracing::warn!(problem = %problem, "template can't be used");
    }
    let case = cases.get(args.id).await?;
    let (_, _, inventory) = site::inventory(store).await?;
    let server = inventory.servers.get(case.server());
    let server =
        server.with_context(|| format!("there is no server {:?} in the inventory", case.server()))?;
    let now = clock::now();
    let bindings: Vec<_> = server.ports.iter().filter(|binding| binding.holds_at(now)).collect();
    let SnippetArgs { kind, lift, interface, .. } = &args;
    let wanted = Wanted { kind, lift: *lift, interfaces: interface };
    show::text(&snippet::render(&templates, &case, &bindings, wanted)?);
    Ok(())
}
