//! Walks down a column of the interface tables, without trust in what comes back.

use crate::Failure;
use crate::exchange::Exchange;
use crate::mib::{self, Column, Oid, Value, Varbind};
use crate::transport::{Ask, Session};

/// The most rows that a table may have. The largest chassis with their subinterfaces have some 10,000.
const ROWS_MAX: usize = 100_000;

/// How the interfaces of a device are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The column that the names come from: ifName, or ifDescr where the device has no ifName at all.
    pub(crate) column: Column,
    /// Each ifIndex in ascending order, with its name where that is one.
    pub(crate) rows: Vec<(u32, Option<String>)>,
}

/// Lists the interfaces by ifName. A device none of whose interfaces has one (it predates RFC 2233) is listed
/// by ifDescr instead; a single interface without ifName is not, since its identity would then change on the
/// day that it gets one.
///
/// # Errors
/// When a request fails or the walk cannot be right; a part of a table is never returned. Counted already.
pub(crate) async fn names<S: Session>(
    exchange: &Exchange<'_, S>,
    rows: &mut u32,
) -> Result<Listing, Failure> {
    for column in [Column::Name, Column::Descr] {
        let mut listing = Listing { column, rows: Vec::new() };
        for (index, value) in self::column(exchange, column, rows).await? {
            let Value::Octets(octets) = value else {
                return Err(exchange.count(Failure::WrongType));
            };
            listing.rows.push((index, mib::name(&octets).map(str::to_owned)));
        }
        if listing.rows.iter().any(|(_, name)| name.is_some()) {
            return Ok(listing);
        }
    }
    Err(exchange.count(Failure::EmptyTable))
}

/// All cells of `column` with their ifIndex, in ascending order; none where the device has no such column.
/// `rows` is how many are asked for at once, lowered when the device cannot answer so many.
///
/// # Errors
/// As [`names`].
pub(crate) async fn column<S: Session>(
    exchange: &Exchange<'_, S>,
    column: Column,
    rows: &mut u32,
) -> Result<Vec<(u32, Value)>, Failure> {
    let mut cells = Vec::new();
    let mut from = column.oid();
    loop {
        let answer = match exchange.request(Ask::Next { from: &from, rows: *rows }).await {
            Ok(answer) => answer,
            Err(Failure::TooBig) if *rows > 1 => {
                *rows /= 2;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        match take(column, from, *rows, answer.varbinds, &mut cells) {
            Ok(Some(next)) => from = next,
            Ok(None) => return Ok(cells),
            Err(failure) => return Err(exchange.count(failure)),
        }
    }
}

/// Takes the cells out of one answer. Returns where to go on, or nothing behind the column's end.
fn take(
    column: Column,
    from: Oid,
    rows: u32,
    varbinds: Vec<Varbind>,
    cells: &mut Vec<(u32, Value)>,
) -> Result<Option<Oid>, Failure> {
    if varbinds.is_empty() || varbinds.len() > usize::try_from(rows).unwrap_or(usize::MAX) {
        return Err(Failure::WrongShape);
    }
    let prefix = column.prefix();
    let mut last = from;
    for Varbind { oid, value } in varbinds {
        if value == Value::EndOfMibView {
            return Ok(None);
        }
        if oid <= last {
            return Err(Failure::Loop);
        }
        let Some(index) = oid.0.strip_prefix(prefix) else {
            return Ok(None);
        };
        let [index] = *index else {
            return Err(Failure::WrongShape);
        };
        if value.is_absent() {
            return Err(Failure::WrongType);
        }
        if cells.len() == ROWS_MAX {
            return Err(Failure::TableTooLong);
        }
        cells.push((index, value));
        last = oid;
    }
    Ok(Some(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(index: u32, name: &str) -> Varbind {
        Varbind { oid: Column::Name.cell(index), value: Value::Octets(name.into()) }
    }

    fn at(arcs: &[u32], value: Value) -> Varbind {
        Varbind { oid: Oid(arcs.to_vec()), value }
    }

    fn check(from: u32, varbinds: Vec<Varbind>, expected: Result<Option<u32>, Failure>, indexes: &[u32]) {
        let mut cells = Vec::new();
        let from = if from == 0 { Column::Name.oid() } else { Column::Name.cell(from) };
        let shown = format!("{varbinds:?}");
        let next = take(Column::Name, from, 3, varbinds, &mut cells);
        let expected = expected.map(|next| next.map(|index| Column::Name.cell(index)));
        assert_eq!(next, expected, "{shown}");
        if expected.is_ok() {
            assert_eq!(cells.iter().map(|(index, _)| *index).collect::<Vec<_>>(), indexes, "{shown}");
        }
    }

    #[test]
    fn a_walk_goes_forward_or_fails() {
        let behind = at(Column::HcInOctets.cell(1).0.as_slice(), Value::Counter64(1));
        let before = at(&[1, 3, 6, 1, 2, 1, 1, 1, 0], Value::Octets(b"x".to_vec()));
        let end = Varbind { oid: Column::Name.cell(2), value: Value::EndOfMibView };
        let long = at(&[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1, 5, 5], Value::Octets(b"x".to_vec()));
        let bare = at(Column::Name.prefix(), Value::Octets(b"x".to_vec()));
        let absent = Varbind { oid: Column::Name.cell(4), value: Value::NoSuchInstance };

        check(0, vec![cell(1, "a"), cell(2, "b"), cell(9, "c")], Ok(Some(9)), &[1, 2, 9]);
        check(0, vec![cell(1, "a"), cell(2, "b")], Ok(Some(2)), &[1, 2]);
        check(0, vec![cell(1, "a"), behind], Ok(None), &[1]);
        check(2, vec![end.clone()], Ok(None), &[]);
        check(0, vec![cell(1, "a"), cell(2, "b"), end], Ok(None), &[1, 2]);
        check(0, vec![], Err(Failure::WrongShape), &[]);
        check(0, vec![cell(1, "a"), cell(2, "b"), cell(3, "c"), cell(4, "d")], Err(Failure::WrongShape), &[]);
        check(3, vec![cell(3, "c")], Err(Failure::Loop), &[]);
        check(3, vec![cell(4, "d"), cell(2, "b")], Err(Failure::Loop), &[]);
        check(3, vec![before], Err(Failure::Loop), &[]);
        check(0, vec![bare], Err(Failure::Loop), &[]);
        check(4, vec![long], Err(Failure::WrongShape), &[]);
        check(3, vec![absent], Err(Failure::WrongType), &[]);
    }

    #[test]
    fn a_table_without_end_is_not_followed() {
        let mut cells = Vec::new();
        let mut from = Column::Name.oid();
        let mut index = 0;
        let failure = loop {
            index += 1;
            match take(Column::Name, from, 3, vec![cell(index, "a")], &mut cells) {
                Ok(next) => from = next.unwrap(),
                Err(failure) => break failure,
            }
        };
        assert_eq!((failure, cells.len()), (Failure::TableTooLong, ROWS_MAX));
    }
}
