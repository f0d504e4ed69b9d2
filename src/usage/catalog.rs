//! Which servers a table has, and what of them does not change from slot to slot: where they are, whose, and by which
//! terms they are billed. Made once for each inventory and month.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::order::Sort;
use super::search::{Found, Search, Searches};
use super::texts::Texts;
use crate::inventory::{Inventory, Plan, Server};
use crate::metering::money::Tariff;
use crate::metering::period::{Month, SlotSpan};
use crate::metering::units::Bps;

/// By what servers are billed; many have the same.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The plan in force at the period's end.
    pub plan: Plan,
    /// The pool with which they are billed, if any: then there is no amount of their own.
    pub pool: Option<String>,
}

impl Terms {
    /// How overage is priced; `None` without a price, and in a pool.
    #[must_use]
    pub fn tariff(&self) -> Option<&Tariff> {
        self.plan.tariff.as_ref().filter(|_| self.pool.is_none())
    }

    /// Overage in whole units.
    #[must_use]
    pub fn billable(&self, overage: Option<Bps>) -> Option<Bps> {
        Some(self.tariff()?.billable(overage?))
    }

    /// What billable overage costs.
    #[must_use]
    pub fn amount(&self, billable: Option<Bps>) -> Option<Decimal> {
        Some(self.tariff()?.amount(billable?))
    }
}

/// Where a server is and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Who pays for it.
    pub customer: String,
    /// Where it stands.
    pub region: String,
}

/// A server's numbers in the catalog's lists.
#[derive(Debug, Clone, Copy)]
struct Entry {
    place: u32,
    terms: u32,
}

/// The servers of an inventory, or some of them, for a month.
#[derive(Debug)]
pub struct Catalog {
    /// The inventory.
    pub inventory: Arc<Inventory>,
    /// The month.
    pub period: Month,
    /// Its slots.
    pub month: SlotSpan,
    /// In order.
    ids: Vec<String>,
    entries: Vec<Entry>,
    places: Vec<Place>,
    terms: Vec<Terms>,
    /// By place, as [`Catalog::places`].
    customers: Texts,
    regions: Texts,
    /// By terms, as [`Catalog::all_terms`].
    plans: Texts,
    searches: Searches,
}

impl Catalog {
    /// Those of the inventory's servers that are `wanted`.
    #[must_use]
    pub fn new(inventory: &Arc<Inventory>, period: Month, wanted: impl Fn(&Server) -> bool) -> Self {
        let month = period.slots(&inventory.timezone);
        let pools = inventory.pools_by_server(month);
        let mut catalog = Self {
            inventory: Arc::clone(inventory),
            period,
            month,
            ids: Vec::new(),
            entries: Vec::new(),
            places: Vec::new(),
            terms: Vec::new(),
            customers: Texts::default(),
            regions: Texts::default(),
            plans: Texts::default(),
            searches: Searches::default(),
        };
        let (mut places, mut terms) = (HashMap::new(), HashMap::new());
        for server in inventory.servers.values().filter(|server| wanted(server)) {
            let place =
                *places.entry((server.customer.as_str(), server.region.as_str())).or_insert_with(|| {
                    let place = Place { customer: server.customer.clone(), region: server.region.clone() };
                    push(&mut catalog.places, place)
                });
            let pool = pools.get(server.id.as_str()).map(|pool| pool.id.as_str());
            let plan = inventory.terms_id_of(server, month);
            let terms = *terms.entry((plan, pool)).or_insert_with(|| {
                let plan = inventory.terms_of(server, month);
                push(&mut catalog.terms, Terms { plan, pool: pool.map(str::to_owned) })
            });
            catalog.ids.push(server.id.clone());
            catalog.entries.push(Entry { place, terms });
        }
        catalog.customers = Texts::new(catalog.places.iter().map(|place| place.customer.as_str()));
        catalog.regions = Texts::new(catalog.places.iter().map(|place| place.region.as_str()));
        catalog.plans = Texts::new(catalog.terms.iter().map(|terms| terms.plan.id.as_str()));
        catalog
    }

    /// How many servers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The servers' ids, in order; a server's place here is its row in a table.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The server of a row.
    #[must_use]
    pub fn server(&self, row: u32) -> Option<&Server> {
        self.inventory.servers.get(self.ids.get(index(row))?)
    }

    /// The row of a server.
    #[must_use]
    pub fn row_of(&self, id: &str) -> Option<u32> {
        let found = self.ids.binary_search_by(|known| known.as_str().cmp(id)).ok()?;
        u32::try_from(found).ok()
    }

    /// The first row whose id is after `id`.
    #[must_use]
    pub fn row_after(&self, id: &str) -> u32 {
        number(self.ids.partition_point(|known| known.as_str() <= id))
    }

    /// The first row whose id is not before `id`.
    #[must_use]
    pub fn row_from(&self, id: &str) -> u32 {
        number(self.ids.partition_point(|known| known.as_str() < id))
    }

    /// All places, each once.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// All terms, each once.
    #[must_use]
    pub fn all_terms(&self) -> &[Terms] {
        &self.terms
    }

    /// The number of a row's place among [`Catalog::places`].
    #[must_use]
    pub fn place_of(&self, row: u32) -> Option<usize> {
        self.entries.get(index(row)).map(|entry| index(entry.place))
    }

    /// The number of a row's terms among [`Catalog::all_terms`].
    #[must_use]
    pub fn terms_number(&self, row: u32) -> Option<usize> {
        self.entries.get(index(row)).map(|entry| index(entry.terms))
    }

    /// By what a row's server is billed.
    #[must_use]
    pub fn terms_of(&self, row: u32) -> Option<&Terms> {
        self.terms.get(self.terms_number(row)?)
    }

    /// A row's text in the column by which `sort` orders; `None` where that is not by texts.
    #[must_use]
    pub fn text_of(&self, sort: Sort, row: u32) -> Option<&str> {
        let place = || self.places.get(self.place_of(row)?);
        match sort {
            Sort::Customer => place().map(|place| place.customer.as_str()),
            Sort::Region => place().map(|place| place.region.as_str()),
            Sort::Plan => self.terms_of(row).map(|terms| terms.plan.id.as_str()),
            _ => None,
        }
    }

    /// The key of a row's text in that column.
    #[must_use]
    pub fn key_of_row(&self, sort: Sort, row: u32) -> Option<u128> {
        let at = if sort == Sort::Plan { self.terms_number(row) } else { self.place_of(row) };
        self.texts(sort)?.key_at(at?)
    }

    /// The key of any text in that column: between those of its neighbours where no row has it.
    #[must_use]
    pub fn key_of_text(&self, sort: Sort, text: &str) -> Option<u128> {
        Some(self.texts(sort)?.key_of(text))
    }

    fn texts(&self, sort: Sort) -> Option<&Texts> {
        match sort {
            Sort::Customer => Some(&self.customers),
            Sort::Region => Some(&self.regions),
            Sort::Plan => Some(&self.plans),
            _ => None,
        }
    }

    /// By row: whether each word of `search` is in the server's id, the customer's id or name, the region or the plan.
    #[must_use]
    pub fn search(&self, search: &Search) -> Arc<[bool]> {
        self.searches.found(search, || self.look_for(search))
    }

    fn look_for(&self, search: &Search) -> Arc<[bool]> {
        let in_place = |place: &Place| {
            let customer = self.inventory.customers.get(&place.customer);
            let name = customer.and_then(|customer| customer.name.as_deref()).unwrap_or_default();
            let texts = [place.customer.as_str(), name, &place.region];
            texts.into_iter().fold(Found::default(), |found, text| search.found_in(text, found))
        };
        let in_places: Vec<Found> = self.places.iter().map(in_place).collect();
        let in_terms = |terms: &Terms| search.found_in(&terms.plan.id, Found::default());
        let in_terms: Vec<Found> = self.terms.iter().map(in_terms).collect();
        let rows = self.ids.iter().zip(&self.entries).map(|(id, entry)| {
            let found = |list: &[Found], number| list.get(index(number)).copied().unwrap_or_default();
            let found = found(&in_places, entry.place).or(found(&in_terms, entry.terms));
            search.is_all(search.found_in(id, found))
        });
        rows.collect()
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = u32> + use<> {
        0..number(self.ids.len())
    }
}

/// A row as an index.
#[must_use]
pub fn index(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

/// An index as a row: there are never more servers than their numbers can be.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn push<T>(list: &mut Vec<T>, value: T) -> u32 {
    list.push(value);
    number(list.len() - 1)
}
