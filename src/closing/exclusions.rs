//! Adjustments with a trail: an incident for which a server is not billed. What was measured stays as it is.

use super::acts::{ActKind, Trail, span_body};
use super::close::CloseError;
use super::desk::Word;
use super::statement::Exclusion;
use crate::inventory::Inventory;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::SlotSpan;
use crate::store::connection::Store;

/// An incident that is to be declared.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The server.
    pub server: String,
    /// From when: slots that start at or after it do not count.
    pub from: Instant,
    /// Until before when.
    pub until: Instant,
}

/// Declares an incident for a server of the inventory.
///
/// # Errors
/// When the server is not known, the span is none or holds no slot, or the store can't be used.
pub async fn exclude(store: &Store, declared: &Declared, word: &Word) -> Result<Exclusion, CloseError> {
    let Declared { server, from, until } = declared;
    let (_, document) = store.inventory().await?;
    let inventory = Inventory::from_document(&document).map_err(|e| CloseError::Inventory(e.to_string()))?;
    let known = inventory.servers.get(server);
    // One that was removed may still be billed for the months before.
    if known.is_none() && !store.servers().await?.contains(server) {
        return Err(CloseError::Exclusion(format!("there is no server {server:?} in the inventory")));
    }
    let [start, end] = [from, until].map(|at| rfc3339(at.0));
    if until <= from {
        return Err(CloseError::Exclusion(format!("until {end} is not after from {start}")));
    }
    let slots = SlotSpan::starting_in(from.0, until.0);
    if slots.is_empty() {
        return Err(CloseError::Exclusion(format!("no slot starts between {start} and {end}")));
    }
    if known.is_some_and(|known| slots.intersect(known.service_slots()).is_empty()) {
        return Err(CloseError::Exclusion(format!(
            "{start} to {end} lies wholly outside the service span of server {server:?}"
        )));
    }
    let mut trail = Trail::load(store).await?;
    let in_force = trail.exclusions()?.remove(server).unwrap_or_default();
    if let Some(same) = in_force.iter().find(|e| (e.from, e.until) == (*from, *until)) {
        return Err(CloseError::Exclusion(format!("exclusion {} says so already", same.id)));
    }
    let mut act = trail.next(ActKind::Exclude, word.now, &word.by, &word.reason);
    act.server.clone_from(server);
    act.body = span_body(*from, *until);
    let exclusion = Exclusion {
        id: act.serial,
        server: server.clone(),
        from: *from,
        until: *until,
        why: word.reason.clone(),
        by: word.by.clone(),
        at: Instant(word.now),
    };
    trail.add(store, act).await?;
    Ok(exclusion)
}

/// Takes an incident back.
///
/// # Errors
/// When there is none of this number in force, or the store can't be used.
pub async fn include(store: &Store, id: u64, word: &Word) -> Result<Exclusion, CloseError> {
    let mut trail = Trail::load(store).await?;
    let all = trail.exclusions()?;
    let found = all.into_values().flatten().find(|exclusion| exclusion.id == id);
    let found = found.ok_or_else(|| CloseError::Exclusion(format!("there is no exclusion {id} in force")))?;
    let mut act = trail.next(ActKind::Include, word.now, &word.by, &word.reason);
    act.server.clone_from(&found.server);
    act.body = id.to_string();
    trail.add(store, act).await?;
    Ok(found)
}
