//! Rows of cells as CSV and as JSON, octet for octet the same each time.
//!
//! CSV is that of RFC 4180: lines end with CR LF, the last one too, and cells are quoted where they must be.

use rust_decimal::Decimal;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::metering::units::Bps;

/// What a spreadsheet takes for the start of a formula, in the wide forms of Japanese input too.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// By this Excel tells UTF-8 from the code page of the country.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A column, and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// For programs.
    pub name: &'static str,
    /// For people who read English.
    pub en: &'static str,
    /// For people who read Japanese.
    pub ja: &'static str,
}

/// In which words columns are headed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Headings {
    /// Names for programs, the same in every version
    #[default]
    Plain,
    /// English words
    En,
    /// Japanese words
    Ja,
}

/// What stands in a row under a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Words that people wrote: in CSV an apostrophe keeps a spreadsheet from taking them for a formula.
    Text(String),
    /// Words of ours, and times.
    Word(String),
    /// A whole number.
    Whole(i128),
    /// An exact figure, such as an amount: in JSON a string, for a reader's numbers may not hold it.
    Exact(Decimal),
    /// Nothing: empty in CSV, null in JSON.
    Nothing,
}

impl Cell {
    /// A text, or nothing.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.to_owned()))
    }

    /// An exact figure, or nothing.
    #[must_use]
    pub fn exact(figure: Option<Decimal>) -> Self {
        figure.map_or(Self::Nothing, Self::Exact)
    }

    /// A rate in bit/s, or nothing.
    #[must_use]
    pub fn bps(bps: Option<Bps>) -> Self {
        bps.map_or(Self::Nothing, |bps| Self::Whole(bps.0.into()))
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(text) if text.starts_with(FORMULA_STARTS) => format!("'{text}"),
            Self::Text(text) | Self::Word(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Exact(figure) => figure.to_string(),
            Self::Nothing => String::new(),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) | Self::Word(text) => serializer.serialize_str(text),
            Self::Whole(number) => serializer.serialize_i128(*number),
            Self::Exact(figure) => serializer.collect_str(figure),
            Self::Nothing => serializer.serialize_none(),
        }
    }
}

/// The rows as CSV under a line of headings. Headings for people follow a byte order mark, since they are meant for
/// a spreadsheet, which takes them for something else without it.
#[must_use]
pub fn csv(columns: &[Column], headings: Headings, rows: &[Vec<Cell>]) -> String {
    let mut text = match headings {
        Headings::Plain => String::new(),
        Headings::En | Headings::Ja => BYTE_ORDER_MARK.to_owned(),
    };
    let heading = |column: &Column| match headings {
        Headings::Plain => column.name.to_owned(),
        Headings::En => column.en.to_owned(),
        Headings::Ja => column.ja.to_owned(),
    };
    line(&mut text, columns.iter().map(heading));
    for row in rows {
        line(&mut text, row.iter().map(Cell::csv));
    }
    text
}

/// Adds a row to CSV.
pub fn csv_row(text: &mut String, row: &[Cell]) {
    line(text, row.iter().map(Cell::csv));
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&quoted(&cell));
    }
    text.push_str("\r\n");
}

/// A cell of CSV: in quotes where it has a comma, a quote or a line's end in it.
#[must_use]
pub fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The rows as a JSON list of objects, a line feed at its end; keys are the columns' names, in their order.
///
/// # Errors
/// Never for these cells; the writer's type has one.
pub fn json(columns: &[Column], rows: &[Vec<Cell>]) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&Objects { columns, rows })?;
    text.push('\n');
    Ok(text)
}

struct Objects<'a> {
    columns: &'a [Column],
    rows: &'a [Vec<Cell>],
}

struct Object<'a> {
    columns: &'a [Column],
    row: &'a [Cell],
}

impl Serialize for Objects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.rows.len()))?;
        for row in self.rows {
            list.serialize_element(&Object { columns: self.columns, row })?;
        }
        list.end()
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, cell) in self.columns.iter().zip(self.row) {
            object.serialize_entry(column.name, cell)?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [
        Column { name: "reason", en: "Reason", ja: "理由" },
        Column { name: "amount", en: "Amount", ja: "金額" },
    ];

    #[test]
    fn a_formula_is_made_harmless_and_a_number_is_left_alone() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+81", "'+81"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("＝1", "'＝1"),
            ("a=b", "a=b"),
            ("say \"=x\", please", "\"say \"\"=x\"\", please\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("日本", "日本"),
        ] {
            let amount = Cell::Exact(Decimal::new(-8_700, 2));
            let rows = [vec![Cell::Text(text.to_owned()), amount]];
            let expected = format!("reason,amount\r\n{cell},-87.00\r\n");
            assert_eq!(csv(&COLUMNS, Headings::Plain, &rows), expected);
        }
    }

    #[test]
    fn json_keeps_types_and_order() {
        let rows =
            [vec![Cell::Nothing, Cell::Exact(Decimal::new(0, 2))], vec![Cell::Whole(-7), Cell::Nothing]];
        let text = json(&COLUMNS, &rows).unwrap();
        let compact: String = text.split_whitespace().collect();
        assert_eq!(compact, "[{\"reason\":null,\"amount\":\"0.00\"},{\"reason\":-7,\"amount\":null}]");
        assert_eq!(json(&COLUMNS, &[]).unwrap(), "[]\n");
    }

    #[test]
    fn headings_for_people_are_read_as_utf_8_by_spreadsheets() {
        assert_eq!(csv(&COLUMNS, Headings::Ja, &[]), "\u{feff}理由,金額\r\n");
        assert_eq!(csv(&COLUMNS, Headings::En, &[]), "\u{feff}Reason,Amount\r\n");
    }
}
