//! The switches of the simulated site, answering SNMP v2c over UDP on loopback.
//!
//! Every value is computed at the instant of the request, from the same [`View`] that makes the history, so a
//! collector goes on where the history ends. GET, GETNEXT and GETBULK; nothing can be set.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_snmp::agent::Agent;
use async_snmp::handler::{
    BoxFuture, GetNextResult, GetResult, HandlerResult, MibHandler, OidTable, RequestContext,
};
use async_snmp::{Oid, Value, VarBind};
use meter95_reading::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::mib::Cell;
use super::site::Site;
use super::view::View;

mod mib;

/// The community that the agents answer to.
pub const COMMUNITY: &str = "public";
/// Loopback and no fixed port: several demos may run on one machine.
const BIND: &str = "127.0.0.1:0";
/// The most requests that an agent works on at once; a collector has two in flight.
const REQUESTS_MAX: usize = 16;

/// The agents of all switches of a site, bound and not yet running.
pub struct Agents {
    agents: Vec<(String, Agent)>,
}

impl Agents {
    /// Binds one agent a switch on `127.0.0.1`, on a port that the system chooses. `now` is the wall clock.
    ///
    /// # Errors
    /// When a socket cannot be had.
    pub async fn bind(
        site: &Arc<Site>,
        now: fn() -> Timestamp,
        stop: &CancellationToken,
    ) -> Result<Self, Box<async_snmp::Error>> {
        let mut agents = Vec::with_capacity(site.switches.len());
        for (number, switch) in site.switches.iter().enumerate() {
            let handler = Handler {
                switch: number,
                now,
                cells: mib::cells(switch),
                view: Mutex::new(View::new(Arc::clone(site))),
            };
            let agent = Agent::builder()
                .bind(BIND)
                .community(COMMUNITY)
                .without_builtin_handlers()
                .handler(Oid::new(mib::ROOT), Arc::new(handler))
                .allow_all_access()
                .max_concurrent_requests(Some(REQUESTS_MAX))
                .cancellation_token(stop.clone())
                .build()
                .await?;
            agents.push((switch.name.clone(), agent));
        }
        Ok(Self { agents })
    }

    /// Each switch's name and where its agent listens.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.agents.iter().map(|(name, agent)| (name.as_str(), agent.local_addr()))
    }

    /// Answers until the token given to [`Agents::bind`] is cancelled.
    ///
    /// # Errors
    /// The first agent's that could not go on; the others are stopped then.
    pub async fn run(self) -> Result<(), Box<async_snmp::Error>> {
        let mut running = JoinSet::new();
        for (_, agent) in self.agents {
            running.spawn(async move { agent.run().await });
        }
        while let Some(ended) = running.join_next().await {
            if let Ok(result) = ended {
                result?;
            }
        }
        Ok(())
    }
}

/// What one switch answers.
struct Handler {
    switch: usize,
    now: fn() -> Timestamp,
    cells: OidTable<Cell>,
    view: Mutex<View>,
}

impl Handler {
    fn value(&self, cell: Cell) -> Value {
        // A view is a cache: one that a panic left half-written is still right the next time it is asked.
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        cell.value(&mut view, self.switch, (self.now)())
    }
}

impl MibHandler for Handler {
    fn get<'a>(&'a self, _ctx: &'a RequestContext, oid: &'a Oid) -> BoxFuture<'a, HandlerResult<GetResult>> {
        let answer = match self.cells.get(oid) {
            Some(cell) => GetResult::Value(self.value(*cell)),
            None if mib::is_column(oid) => GetResult::NoSuchInstance,
            None => GetResult::NoSuchObject,
        };
        Box::pin(async move { Ok(answer) })
    }

    fn get_next<'a>(
        &'a self,
        _ctx: &'a RequestContext,
        oid: &'a Oid,
    ) -> BoxFuture<'a, HandlerResult<GetNextResult>> {
        let answer = match self.cells.get_next(oid) {
            Some((next, cell)) => GetNextResult::Value(VarBind::new(next.clone(), self.value(*cell))),
            None => GetNextResult::EndOfMibView,
        };
        Box::pin(async move { Ok(answer) })
    }
}

#[cfg(test)]
mod tests;
