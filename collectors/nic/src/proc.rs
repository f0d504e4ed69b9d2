//! What `/proc` says: the counters as text, for kernels without the dump, and the time since boot.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::stats::INTERFACES_MAX;

/// The longest text that is read: 65,536 interfaces at most 223 octets a line, and more than enough for uptime.
const TEXT_OCTETS_MAX: u64 = 16 << 20;
/// The calling thread's own network namespace; `/proc/net` would be the main thread's.
pub(crate) const TABLE_PATH: &str = "/proc/thread-self/net/dev";
/// The time since boot. In a container under lxcfs it is the container's, and there rightly so: its
/// interfaces begin with it.
pub(crate) const UPTIME_PATH: &str = "/proc/uptime";
/// `/proc/net/dev` starts with this many lines of headings.
const HEADING_LINES: usize = 2;
/// Figures on a line of `/proc/net/dev`: eight received, eight sent.
const COLUMNS: usize = 16;
/// Hundredths in a second.
const CS_PER_S: u64 = 100;

/// One line of `/proc/net/dev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableRow {
    /// The interface's name.
    pub(crate) name: String,
    /// Octets received.
    pub(crate) rx_octets: u64,
    /// Octets sent.
    pub(crate) tx_octets: u64,
    /// Packets received.
    pub(crate) rx_packets: u64,
    /// Packets sent.
    pub(crate) tx_packets: u64,
}

/// What is wrong with a text of `/proc`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProcError {
    /// The headings are not those of `/proc/net/dev`.
    #[error("no headings of /proc/net/dev")]
    Headings,
    /// The line, counted from 1, does not hold a name and sixteen figures.
    #[error("line {0} is not a name and 16 figures")]
    Line(usize),
    /// More lines than [`INTERFACES_MAX`].
    #[error("more interfaces than {INTERFACES_MAX}")]
    TooMany,
    /// The uptime does not begin with seconds and hundredths.
    #[error("no seconds and hundredths")]
    Uptime,
}

/// Reads a small text file.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(TEXT_OCTETS_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads the text of `/proc/net/dev`. Figures are taken only from whole lines.
pub(crate) fn parse_table(text: &str) -> Result<Vec<TableRow>, ProcError> {
    let mut lines = text.split_inclusive('\n').enumerate();
    for (_, heading) in lines.by_ref().take(HEADING_LINES) {
        if !heading.contains('|') || !heading.ends_with('\n') {
            return Err(ProcError::Headings);
        }
    }
    let mut rows = Vec::new();
    for (at, line) in lines {
        if rows.len() >= INTERFACES_MAX {
            return Err(ProcError::TooMany);
        }
        rows.push(parse_line(line).ok_or(ProcError::Line(at + 1))?);
    }
    match rows.is_empty() {
        true => Err(ProcError::Headings), // even an empty namespace has its loopback
        false => Ok(rows),
    }
}

/// A name holds no colon; kernels before 2.6.38 leave no space after the one that follows it.
fn parse_line(line: &str) -> Option<TableRow> {
    let (name, figures) = line.strip_suffix('\n')?.split_once(':')?;
    let name = name.trim_ascii();
    let mut columns = [0_u64; COLUMNS];
    let mut words = figures.split_ascii_whitespace();
    for column in &mut columns {
        *column = words.next()?.parse().ok()?;
    }
    if name.is_empty() || words.next().is_some() {
        return None;
    }
    let [rx_octets, rx_packets, _, _, _, _, _, _, tx_octets, tx_packets, ..] = columns;
    Some(TableRow { name: name.to_owned(), rx_octets, tx_octets, rx_packets, tx_packets })
}

/// Reads the first figure of `/proc/uptime` as hundredths of a second, wrapped at 2^32 as sysUpTime is
/// (497 days).
pub(crate) fn parse_uptime_cs(text: &str) -> Result<u32, ProcError> {
    let (seconds, rest) = text.split_once('.').ok_or(ProcError::Uptime)?;
    let (hundredths, _) = rest.split_once(' ').ok_or(ProcError::Uptime)?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if hundredths.len() != 2 || !digits(hundredths) || !digits(seconds) {
        return Err(ProcError::Uptime);
    }
    let seconds: u64 = seconds.parse().map_err(|_| ProcError::Uptime)?;
    let hundredths: u64 = hundredths.parse().map_err(|_| ProcError::Uptime)?;
    let cs =
        seconds.checked_mul(CS_PER_S).and_then(|cs| cs.checked_add(hundredths)).ok_or(ProcError::Uptime)?;
    u32::try_from(cs % (1 << 32)).map_err(|_| ProcError::Uptime)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   84408     814    0    0    0     0          0         0    84409     815    0    0    0     0       0          0
  eth0:18446744073709551615 1 2 3 4 5 6 7 9 10 11 12 13 14 15 16
";

    #[test]
    fn the_table_is_read() {
        let row = |name: &str, rx_octets, rx_packets, tx_octets, tx_packets| TableRow {
            name: name.to_owned(),
            rx_octets,
            tx_octets,
            rx_packets,
            tx_packets,
        };
        let expected = [row("lo", 84_408, 814, 84_409, 815), row("eth0", u64::MAX, 1, 9, 10)];
        assert_eq!(parse_table(TABLE).unwrap(), expected);
    }

    #[test]
    fn a_bad_table_says_where() {
        let headings: String = TABLE.split_inclusive('\n').take(2).collect();
        let line = |line: &str| parse_table(&format!("{headings}{line}")).unwrap_err();
        assert_eq!(parse_table("").unwrap_err(), ProcError::Headings);
        assert_eq!(parse_table(&headings).unwrap_err(), ProcError::Headings);
        assert_eq!(parse_table("a\nb\n").unwrap_err(), ProcError::Headings);
        for bad in [
            "eth0 1 2\n",
            ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
            "e: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n",
            "e: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n",
            "e: -1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
            "e: 18446744073709551616 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
            "e: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", // cut: the last figure may be the start of a longer one
            "\n",
        ] {
            assert_eq!(line(bad), ProcError::Line(3), "{bad:?}");
        }
    }

    #[test]
    fn uptime_is_hundredths_and_wraps() {
        for (text, expected) in [
            ("0.00 0.00\n", Ok(0)),
            ("350735.47 234388.90\n", Ok(35_073_547)),
            ("42949672.95 1.00\n", Ok(u32::MAX)),
            ("42949672.96 1.00\n", Ok(0)),
            ("42949673.97 1.00\n", Ok(101)),
            ("", Err(ProcError::Uptime)),
            ("1.5 0.00\n", Err(ProcError::Uptime)),
            ("1.00", Err(ProcError::Uptime)),
            ("-1.00 0.00", Err(ProcError::Uptime)),
            (".00 0.00", Err(ProcError::Uptime)),
            ("99999999999999999999.00 0.00", Err(ProcError::Uptime)),
            ("184467440737095517.00 0.00", Err(ProcError::Uptime)),
        ] {
            assert_eq!(parse_uptime_cs(text), expected, "{text:?}");
        }
    }

    #[test]
    fn this_machine_is_understood() {
        let table = parse_table(&read(Path::new(TABLE_PATH)).unwrap()).unwrap();
        assert!(table.iter().any(|row| row.name == "lo"));
        assert!(parse_uptime_cs(&read(Path::new(UPTIME_PATH)).unwrap()).is_ok());
    }

    proptest! {
        #[test]
        fn mutations_never_panic(at in 0_usize..TABLE.len(), with in any::<char>(), cut in 0_usize..TABLE.len()) {
            let mut chars: Vec<char> = TABLE.chars().collect();
            chars[at] = with;
            chars.truncate(TABLE.len() - cut);
            let text: String = chars.into_iter().collect();
            let _ = parse_table(&text);
            let _ = parse_uptime_cs(&text);
        }

        #[test]
        fn noise_never_panics(text in ".{0,200}") {
            let _ = parse_table(&text);
            let _ = parse_uptime_cs(&text);
        }
    }
}
