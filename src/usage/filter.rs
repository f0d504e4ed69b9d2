//! Which lines of a table are asked for, and which of them somebody sees.

use std::sync::Arc;

use super::catalog::{Catalog, index};
use super::search::Search;
use super::table::{Row, Table};
use crate::access::Caller;
use crate::metering::units::Bps;

/// What is asked for: lines that are all of this.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// This server's.
    pub server: Option<String>,
    /// In this region.
    pub region: Option<String>,
    /// Of this customer.
    pub customer: Option<String>,
    /// Billed by this plan.
    pub plan: Option<String>,
    /// Where each of these words is in the server's id, the customer's id or name, the region or the plan.
    pub search: Search,
    /// With overage.
    pub over: bool,
    /// Without a p95.
    pub no_data: bool,
}

/// A filter as applied to one catalog: a look into a list or two for each line.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// By place: whether its servers are.
    places: Vec<bool>,
    /// By terms: the same.
    terms: Vec<bool>,
    /// `Some` where one server is asked for: its row, or none.
    server: Option<Option<u32>>,
    /// By row, where words are to be found: whether they are.
    found: Option<Arc<[bool]>>,
    over: bool,
    no_data: bool,
    /// Whether all lines are.
    everything: bool,
}

impl Filter {
    /// The lines of `catalog` that are asked for and that `caller` sees.
    #[must_use]
    pub fn choose(&self, catalog: &Catalog, caller: &Caller) -> Chosen {
        let is = |asked: &Option<String>, found: &str| asked.as_deref().is_none_or(|asked| asked == found);
        let places = catalog.places().iter().map(|place| {
            is(&self.customer, &place.customer)
                && is(&self.region, &place.region)
                && caller.sees(&place.customer, &place.region)
        });
        let places: Vec<bool> = places.collect();
        let terms: Vec<bool> =
            catalog.all_terms().iter().map(|terms| is(&self.plan, &terms.plan.id)).collect();
        let server = self.server.as_ref().map(|id| catalog.row_of(id));
        let found = (!self.search.is_empty()).then(|| catalog.search(&self.search));
        let (over, no_data) = (self.over, self.no_data);
        let everything = !over
            && !no_data
            && server.is_none()
            && found.is_none()
            && places.iter().chain(&terms).all(|chosen| *chosen);
        Chosen { places, terms, server, found, over, no_data, everything }
    }
}

impl Chosen {
    /// Every line.
    #[must_use]
    pub fn all(catalog: &Catalog) -> Self {
        Filter::default().choose(catalog, &Caller::anyone())
    }

    /// Whether that is every line.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// The rows to look through: one where one server is asked for.
    pub(super) fn candidates(&self, table: &Table) -> impl Iterator<Item = u32> + use<> {
        let (from, until) = match self.server {
            Some(Some(row)) => (row, row.saturating_add(1)),
            Some(None) => (0, 0),
            None => (0, u32::try_from(table.catalog().len()).unwrap_or(u32::MAX)),
        };
        from..until
    }

    /// Whether a row is chosen by what it is called, where it is and by its terms.
    #[must_use]
    pub fn takes_entry(&self, catalog: &Catalog, row: u32) -> bool {
        if self.everything {
            return true;
        }
        let of = |list: &[bool], number: Option<usize>| {
            number.and_then(|number| list.get(number)).copied().unwrap_or(false)
        };
        self.server.is_none_or(|only| only == Some(row))
            && self.found.as_ref().is_none_or(|found| of(found, Some(index(row))))
            && of(&self.places, catalog.place_of(row))
            && of(&self.terms, catalog.terms_number(row))
    }

    /// Whether a row is chosen.
    #[must_use]
    pub fn takes(&self, table: &Table, row: u32) -> bool {
        let is = |fits: fn(&Row) -> bool| table.rows().get(index(row)).is_some_and(fits);
        self.takes_entry(table.catalog(), row)
            && (!self.over || is(|row| row.figures.overage > Some(Bps(0))))
            && (!self.no_data || is(|row| row.figures.p95.is_none()))
    }
}
