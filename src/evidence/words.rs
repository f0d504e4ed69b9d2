//! Figures and words of a pack's page, in English and in Japanese.

use crate::closing::explain::layout::{divided, grouped};
use crate::closing::explain::text::Lang;
use crate::metering::sample::PortKind;
use crate::metering::units::Bps;

/// A rate for people, rounded down: `40.12 Mbps`, `512.3 kbps`, `7 bps`.
pub(super) fn rate(bps: Bps) -> String {
    match bps.0 {
        1_000_000_000.. => format!("{} Gbps", grouped_figure(bps.0, 1_000_000_000, 3)),
        1_000_000.. => format!("{} Mbps", divided(bps.0, 1_000_000, 2).0),
        1_000.. => format!("{} kbps", divided(bps.0, 1_000, 1).0),
        bps => format!("{bps} bps"),
    }
}

/// An amount of data for people, rounded down, in decimal units.
pub(super) fn amount(octets: u64) -> String {
    match octets {
        1_000_000_000.. => format!("{} GB", grouped_figure(octets, 1_000_000_000, 2)),
        1_000_000.. => format!("{} MB", divided(octets, 1_000_000, 1).0),
        1_000.. => format!("{} kB", divided(octets, 1_000, 1).0),
        octets => format!("{octets} B"),
    }
}

fn grouped_figure(a: u64, b: u64, digits: u32) -> String {
    let figure = divided(a, b, digits).0;
    match figure.split_once('.') {
        Some((_, rest)) => format!("{}.{rest}", grouped(a / b)),
        None => grouped(a / b),
    }
}

/// A number, or a dash.
pub(super) fn number(number: Option<u64>) -> String {
    number.map_or_else(|| "–".to_owned(), grouped)
}

/// A rate, or a dash.
pub(super) fn rate_or_dash(bps: Option<Bps>) -> String {
    bps.map_or_else(|| "–".to_owned(), rate)
}

/// The kind of a break.
pub(super) fn break_kind(lang: Lang, kind: &str) -> String {
    match kind {
        "reset" => lang.pick("reset", "リセット").to_owned(),
        "gap" => lang.pick("gap", "欠落").to_owned(),
        "implausible" => lang.pick("implausible", "異常値").to_owned(),
        other => other.to_owned(),
    }
}

/// What showed a reset.
pub(super) fn cause(lang: Lang, cause: &str) -> String {
    match cause {
        "uptime" => lang.pick("the device restarted (its uptime says so)", "機器の再起動(稼働時間による)"),
        "discontinuity" => lang
            .pick("the device says that its counters started anew", "カウンターの再始動(機器の申告による)"),
        "width" => lang.pick("the counters' width changed", "カウンターの桁数の変更"),
        "counter_fell" => lang.pick("a counter fell", "カウンター値の減少"),
        other => other,
    }
    .to_owned()
}

/// Whose interface a port is.
pub(super) fn port_kind(lang: Lang, kind: PortKind) -> &'static str {
    match kind {
        PortKind::Switch => lang.pick("switch port", "スイッチのポート"),
        PortKind::Nic => lang.pick("the server's own interface", "サーバーのNIC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_people_are_rounded_down() {
        for (bps, shown) in [
            (0, "0 bps"),
            (999, "999 bps"),
            (512_399, "512.3 kbps"),
            (1_000_000, "1 Mbps"),
            (40_129_999, "40.12 Mbps"),
            (1_234_567_000_000, "1,234.567 Gbps"),
        ] {
            assert_eq!(rate(Bps(bps)), shown);
        }
        for (octets, shown) in
            [(7, "7 B"), (1_500, "1.5 kB"), (2_999_999, "2.9 MB"), (1_234_567_899_999, "1,234.56 GB")]
        {
            assert_eq!(amount(octets), shown);
        }
    }
}
