//! Numbers, times and tables as they stand in a text: digits in groups, times in the billing time zone, and columns that
//! line up where a Japanese character is two wide.

use std::fmt::Write;

use jiff::tz::TimeZone;
use meter95_reading::Timestamp;
use rust_decimal::Decimal;

use crate::inventory::instant::Instant;
use crate::metering::units::Bps;

/// A column of a table: its heading, and whether it holds numbers, which stand to the right.
pub(crate) type Column<'a> = (&'a str, bool);

/// Shows times of one month.
pub(crate) struct Clock {
    timezone: TimeZone,
    /// Whether the offset changes in the month, so that a time alone could mean two.
    with_offset: bool,
}

impl Clock {
    pub(crate) fn new(timezone: TimeZone, from: Instant, until: Instant) -> Self {
        let offset = |time: Instant| {
            let time = jiff::Timestamp::from_millisecond(time.0.0).unwrap_or_default();
            timezone.to_offset(time)
        };
        let with_offset = offset(from) != offset(until);
        Self { timezone, with_offset }
    }

    /// Day and time, such as `2026-10-14 21:35`, with seconds where there are some.
    pub(crate) fn time(&self, time: Timestamp) -> String {
        let Ok(at) = jiff::Timestamp::from_millisecond(time.0) else { return format!("{} ms", time.0) };
        let at = at.to_zoned(self.timezone.clone());
        let form = if time.0.rem_euclid(60_000) == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
        let shown = at.strftime(form).to_string();
        if self.with_offset { format!("{shown} {}", at.strftime("%:z")) } else { shown }
    }
}

/// A whole number with a comma between groups of three digits.
pub(crate) fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A figure with a comma between groups of three digits before its point.
pub(crate) fn grouped_text(figure: &str) -> String {
    let (sign, figure) = figure.strip_prefix('-').map_or(("", figure), |rest| ("-", rest));
    let (whole, rest) = figure.split_at(figure.find('.').unwrap_or(figure.len()));
    let whole = whole.parse::<u128>().map_or_else(|_| whole.to_owned(), grouped);
    format!("{sign}{whole}{rest}")
}

pub(crate) fn money(amount: Decimal) -> String {
    grouped_text(&amount.to_string())
}

pub(crate) fn bps(bps: Bps) -> String {
    grouped(bps.0)
}

pub(crate) fn bps_or_dash(rate: Option<Bps>) -> String {
    rate.map_or_else(|| "-".to_owned(), bps)
}

/// A rate in Mbps with all its digits: 5,800,000 bit/s are 5.8.
pub(crate) fn mbps(bps: Bps) -> String {
    grouped_text(&divided(bps.0, 1_000_000, 6).0)
}

/// A rate in Mbps cut after three digits, as tables have it: 6,790,604 bit/s are 6.790.
pub(crate) fn mbps_cut(bps: Bps) -> String {
    format!("{}.{:03}", grouped(bps.0 / 1_000_000), bps.0 % 1_000_000 / 1_000)
}

/// `a / b` to so many digits after the point, and whether that is all of it.
pub(crate) fn divided(a: u64, b: u64, digits: u32) -> (String, bool) {
    let b = u128::from(b.max(1));
    let scaled = u128::from(a) * 10_u128.pow(digits);
    let quotient = scaled / b;
    let width = usize::try_from(digits).unwrap_or(0) + 1;
    let text = format!("{quotient:0width$}");
    let (whole, rest) = text.split_at(text.len() + 1 - width);
    let rest = rest.trim_end_matches('0');
    let text = if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") };
    (text, scaled.is_multiple_of(b))
}

/// Columns of a terminal that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Whether a letter is as wide as it is high: Hangul, kana, ideographs and full-width forms.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd)
}

/// A share of 1 as a percentage with two digits after the point.
pub(crate) fn percent(share: Decimal) -> String {
    format!("{:.2} %", share * Decimal::ONE_HUNDRED)
}

/// Rows under headings, two blanks before and between columns.
pub(crate) fn table(columns: &[Column<'_>], rows: &[Vec<String>]) -> String {
    let widest = |i: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(i)).map(|cell| width(cell));
        cells.chain([width(heading)]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(i, (heading, _))| widest(i, heading)).collect();
    let mut text = String::new();
    let mut line = |cells: &[&str]| {
        let mut line = String::new();
        for ((cell, (_, number)), wide) in cells.iter().zip(columns).zip(&widths) {
            let blanks = " ".repeat(wide.saturating_sub(width(cell)));
            let _ = if *number { write!(line, "  {blanks}{cell}") } else { write!(line, "  {cell}{blanks}") };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    line(&columns.iter().map(|(heading, _)| *heading).collect::<Vec<_>>());
    for row in rows {
        line(&row.iter().map(String::as_str).collect::<Vec<_>>());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_in_full() {
        assert_eq!(grouped(0_u64), "0");
        assert_eq!(grouped(1_234_567_u64), "1,234,567");
        assert_eq!(grouped_text("-8700.50"), "-8,700.50");
        assert_eq!(mbps(Bps(5_800_000)), "5.8");
        assert_eq!(mbps(Bps(1_234_000_001)), "1,234.000001");
        assert_eq!(mbps_cut(Bps(1_006_790_999)), "1,006.790");
        assert_eq!(divided(8_928, 20, 2), ("446.4".to_owned(), true));
        assert_eq!(divided(10, 3, 4), ("3.3333".to_owned(), false));
        assert_eq!(divided(7, 1_000, 1), ("0".to_owned(), false));
    }

    #[test]
    fn wide_characters_line_up() {
        let rows = [vec!["日本".to_owned(), "1".to_owned()], vec!["a".to_owned(), "20".to_owned()]];
        assert_eq!(table(&[("名", false), ("n", true)], &rows), "  名     n\n  日本   1\n  a     20\n");
    }

    #[test]
    fn a_time_that_could_mean_two_has_its_offset() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let (from, until) = (at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z"));
        let clock = Clock::new(berlin.clone(), from, until);
        assert_eq!(clock.time(at("2026-10-25T00:30:00Z").0), "2026-10-25 02:30 +02:00");
        assert_eq!(clock.time(at("2026-10-25T01:30:00Z").0), "2026-10-25 02:30 +01:00");
        let clock = Clock::new(berlin, until, at("2026-11-30T23:00:00Z"));
        assert_eq!(clock.time(at("2026-11-02T00:30:07Z").0), "2026-11-02 01:30:07");
    }
}
