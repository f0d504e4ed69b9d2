//! The samples of which a statement was made, read from the store and proved to be those.

use std::collections::BTreeMap;

use super::settle::digest;
use super::statement::{Member, Statement};
use crate::aggregator::output::ServerId;
use crate::metering::period::SlotSpan;
use crate::metering::sample::Sample;
use crate::metering::units::Slot;
use crate::store::connection::{Store, StoreError};

/// Why there are no samples that prove a statement.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not what the statement was made of.
    #[error(
        "the samples in the store are not those of revision {revision} of the statement of {server:?}: \
         their SHA-256 is {found}, the statement says {said}"
    )]
    Differ {
        /// The statement's server or pool.
        server: String,
        /// The statement's revision.
        revision: u32,
        /// The hash in the statement.
        said: String,
        /// The hash of what is stored.
        found: String,
    },
}

/// The samples of each member, in their order, as they were when the statement was made.
///
/// # Errors
/// When the store can't be read, or has other samples.
pub async fn samples_of(
    store: &Store,
    statement: &Statement,
) -> Result<Vec<Vec<(Slot, Sample)>>, ProofError> {
    samples_by(store, &numbers(store).await?, statement).await
}

/// The servers' numbers in the store, for many statements.
///
/// # Errors
/// When the store can't be read.
pub async fn numbers(store: &Store) -> Result<BTreeMap<String, ServerId>, StoreError> {
    Ok(store.servers().await?.into_iter().zip((0..).map(ServerId)).collect())
}

/// As [`samples_of`], by servers' numbers that are at hand.
///
/// # Errors
/// As [`samples_of`].
pub async fn samples_by(
    store: &Store,
    ids: &BTreeMap<String, ServerId>,
    statement: &Statement,
) -> Result<Vec<Vec<(Slot, Sample)>>, ProofError> {
    let mut samples = Vec::with_capacity(statement.members.len());
    for member in &statement.members {
        samples.push(match ids.get(member.server.as_str()) {
            Some(id) => of_member(store, *id, member).await?,
            None => Vec::new(),
        });
    }
    let servers = statement.members.iter().map(|member| member.server.as_str());
    let found = digest(servers.zip(samples.iter().map(Vec::as_slice)));
    if found == statement.samples_sha256 {
        return Ok(samples);
    }
    let Statement { server, revision, samples_sha256, .. } = statement;
    let (server, said) = (server.clone(), samples_sha256.clone());
    Err(ProofError::Differ { server, revision: *revision, said, found })
}

async fn of_member(store: &Store, id: ServerId, member: &Member) -> Result<Vec<(Slot, Sample)>, StoreError> {
    let revisions =
        member.revised.iter().map(|revised| (Slot::of(revised.slot.0), revised.revision)).collect();
    let gaps: Vec<SlotSpan> =
        member.gaps.iter().map(|gap| SlotSpan::starting_in(gap.from.0, gap.until.0)).collect();
    Ok(store.samples_at(id, member.span(), &revisions, &gaps).await?.into_iter().collect())
}
