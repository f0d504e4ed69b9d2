//! How commands print: tables for people, JSON and CSV for programs.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, Table};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::metering::units::Bps;

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

/// A column: its heading, and whether it holds numbers.
pub type Column = (&'static str, bool);

/// A table with these columns and rows; numbers stand to the right.
#[must_use]
pub fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_content_arrangement(ContentArrangement::Disabled);
    let bold = std::io::stdout().is_terminal();
    table.set_header(columns.iter().map(|(heading, _)| {
        let cell = Cell::new(heading);
        if bold { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    for (i, (_, number)) in columns.iter().enumerate() {
        if let Some(column) = table.column_mut(i)
            && *number
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.add_rows(rows);
    table
}

/// A rate in Mbps with three decimals, rounded down; exact figures are in JSON and CSV.
#[must_use]
pub fn mbps(bps: Bps) -> String {
    format!("{}.{:03}", bps.0 / 1_000_000, bps.0 % 1_000_000 / 1_000)
}

/// A rate in Mbps, or a dash.
#[must_use]
pub fn mbps_or_dash(bps: Option<Bps>) -> String {
    bps.map_or_else(|| "-".to_owned(), mbps)
}

/// Slots of 300 s as hours and minutes.
#[must_use]
pub fn hours(slots: u64) -> String {
    format!("{}:{:02}", slots / 12, slots % 12 * 5)
}

/// So many things of one name, as in "1 statement" and "2 statements".
#[must_use]
pub fn counted(n: u64, name: &str) -> String {
    if n == 1 { format!("1 {name}") } else { format!("{n} {name}s") }
}

/// Prints a line. Whoever reads may stop reading: that is no error.
pub fn line(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a text as it is.
pub fn text(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// A share of 1 as a percentage with two decimals.
#[must_use]
pub fn percent(share: Decimal) -> String {
    format!("{:.2} %", share * Decimal::ONE_HUNDRED)
}

/// Prints a value as JSON, indented.
///
/// # Errors
/// When it can't be written.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints rows as CSV under their fields' names.
///
/// # Errors
/// When they can't be written.
pub fn csv<T: Serialize>(rows: impl IntoIterator<Item = T>) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()?;
    Ok(())
}

/// The error and what caused it, each once.
#[must_use]
pub fn error(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_as_people_read_them() {
        assert_eq!(mbps(Bps(1_234_567)), "1.234");
        assert_eq!(mbps(Bps(999)), "0.000");
        assert_eq!(hours(446), "37:10");
    }
}
