//! The pack's tables for spreadsheets. Each column says in two languages what it is: the readme prints that.

use jiff::Zoned;
use jiff::tz::TimeZone;
use meter95_reading::Timestamp;
use rust_decimal::Decimal;

use super::report::{BreakPart, PortReport, Report};
use super::traffic::{Flow, Line, PortLine};
use crate::closing::table::{Cell, Column, Headings, csv};
use crate::inventory::instant::rfc3339;
use crate::metering::sample::PortKind;
use crate::metering::units::Slot;

const fn column(name: &'static str, en: &'static str, ja: &'static str) -> Column {
    Column { name, en, ja }
}

const SLOT: Column = column("slot", "the slot's start, in UTC", "スロットの開始時刻 (UTC)");
const SLOT_LOCAL: Column = column(
    "slot_local",
    "the same instant in the billing time zone",
    "同じ時刻を課金タイムゾーンで表したもの",
);

/// The columns of both directions.
const FLOWS: [Column; 10] = [
    column("in_octets", "octets towards the server", "サーバーが受信したオクテット数"),
    column("out_octets", "octets from the server", "サーバーが送信したオクテット数"),
    column(
        "in_packets",
        "packets towards the server; empty where they are not known",
        "受信パケット数(不明なら空欄)",
    ),
    column(
        "out_packets",
        "packets from the server; empty where they are not known",
        "送信パケット数(不明なら空欄)",
    ),
    column("in_bps", "bit/s towards the server; empty without a figure", "受信速度 bit/s(値がなければ空欄)"),
    column("out_bps", "bit/s from the server; empty without a figure", "送信速度 bit/s(値がなければ空欄)"),
    column("in_packets_per_second", "packets in a second towards the server", "1秒あたりの受信パケット数"),
    column("out_packets_per_second", "packets in a second from the server", "1秒あたりの送信パケット数"),
    column(
        "in_mean_packet_octets",
        "octets in a packet on average, towards the server",
        "受信パケットの平均サイズ(オクテット)",
    ),
    column(
        "out_mean_packet_octets",
        "octets in a packet on average, from the server",
        "送信パケットの平均サイズ(オクテット)",
    ),
];

/// The columns of `traffic.csv`.
pub const TRAFFIC: [Column; 16] = {
    let [a, b, c, d, e, f, g, h, i, j] = FLOWS;
    let covered = column(
        "covered_s",
        "seconds of the slot between readings that tell something, at the port of which least is known",
        "スロットのうち計測できた秒数(最も少ないポートの値)",
    );
    let state = column(
        "state",
        "full; partial: a port is missing; missing: no sample; open: not closed yet; out_of_service",
        "full: 完全, partial: 一部のポートが欠測, missing: 欠測, open: 未確定, out_of_service: サービス期間外",
    );
    let revision = column(
        "revision",
        "how often the sample was made; above 1 after late readings",
        "計測値の版。遅れて届いたデータで更新されると2以上になります",
    );
    let allowance =
        column("allowance_bps", "what the contract includes in this slot, in bit/s", "契約帯域 bit/s");
    [SLOT, SLOT_LOCAL, a, b, c, d, e, f, g, h, i, j, covered, state, revision, allowance]
};

/// The columns of `ports.csv`.
pub const PORTS: [Column; 17] = {
    let [a, b, c, d, e, f, g, h, i, j] = FLOWS;
    let covered = column(
        "covered_s",
        "seconds of the slot between readings that tell something",
        "スロットのうち計測できた秒数",
    );
    let counts = column(
        "counts",
        "1 where half the slot or more is covered, so that the port has a rate",
        "スロットの半分以上を計測できていれば1(速度を算出)",
    );
    [DEVICE, INTERFACE, PORT_KIND, SLOT, SLOT_LOCAL, a, b, c, d, e, f, g, h, i, j, covered, counts]
};

const DEVICE: Column = column("device", "the device whose interface it is", "機器名");
const INTERFACE: Column = column("interface", "what the device calls the interface", "インターフェース名");
const PORT_KIND: Column = column(
    "port_kind",
    "switch: the switch's interface towards the server; nic: the server's own",
    "switch: サーバー側を向いたスイッチのポート, nic: サーバー自身のNIC",
);

/// The columns of `breaks.csv`.
pub const BREAKS: [Column; 15] = [
    DEVICE,
    INTERFACE,
    PORT_KIND,
    column(
        "kind",
        "reset: the counters started anew; gap: too long without a reading; implausible: more than the port can carry",
        "reset: カウンターの再始動, gap: 計測の空白, implausible: ポート速度を超える値",
    ),
    column(
        "cause",
        "what showed a reset: uptime and discontinuity are the device's own word, counter_fell and width the counters'",
        "リセットの判断理由。uptime と discontinuity は機器自身の申告、counter_fell と width はカウンターの値によります",
    ),
    column("before", "when the earlier reading was made, in UTC", "直前の読み取り時刻 (UTC)"),
    column("before_local", "the same in the billing time zone", "同じ時刻(課金タイムゾーン)"),
    column(
        "before_rx_octets",
        "octets received by the interface up to then",
        "その時点までの受信オクテット数(機器のカウンター)",
    ),
    column(
        "before_tx_octets",
        "octets sent by the interface up to then",
        "その時点までの送信オクテット数(機器のカウンター)",
    ),
    column("after", "when the later reading was made, in UTC", "直後の読み取り時刻 (UTC)"),
    column("after_local", "the same in the billing time zone", "同じ時刻(課金タイムゾーン)"),
    column(
        "after_rx_octets",
        "octets received by the interface up to then",
        "その時点までの受信オクテット数(機器のカウンター)",
    ),
    column(
        "after_tx_octets",
        "octets sent by the interface up to then",
        "その時点までの送信オクテット数(機器のカウンター)",
    ),
    column(
        "rx_octets_left_out",
        "octets received in between that are not counted, where they are known",
        "計上していない受信オクテット数(分かる場合)",
    ),
    column(
        "tx_octets_left_out",
        "octets sent in between that are not counted, where they are known",
        "計上していない送信オクテット数(分かる場合)",
    ),
];

/// Shows instants in the billing time zone, with the offset.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of a report; UTC where its name is not known.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        Self::named(&report.timezone)
    }

    /// The zone of a name of the IANA database; UTC where there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(TimeZone::get(name).unwrap_or(TimeZone::UTC))
    }

    /// An instant by the zone's calendar.
    #[must_use]
    pub fn civil(&self, time: Timestamp) -> Zoned {
        jiff::Timestamp::from_millisecond(time.0).unwrap_or_default().to_zoned(self.0.clone())
    }

    /// The zone itself.
    #[must_use]
    pub fn timezone(&self) -> TimeZone {
        self.0.clone()
    }

    fn local(&self, time: Timestamp) -> Cell {
        let at = self.civil(time);
        let form = if time.0 % 1_000 == 0 { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S%.3f%:z" };
        Cell::Word(at.strftime(form).to_string())
    }

    fn both(&self, time: Timestamp) -> [Cell; 2] {
        [Cell::Word(rfc3339(time)), self.local(time)]
    }
}

/// `traffic.csv`.
#[must_use]
pub fn traffic(report: &Report) -> String {
    let zone = Zone::of(report);
    let row = |line: &Line| {
        let mut row = slot_and_flows(&zone, line.slot, &line.r#in, &line.out);
        row.extend([
            seconds(line.covered_ms),
            word(line.state.name()),
            Cell::Whole(line.revision.into()),
            Cell::Whole(line.allowance_bps.0.into()),
        ]);
        row
    };
    csv(&TRAFFIC, Headings::Plain, &report.slots.iter().map(row).collect::<Vec<_>>())
}

/// `ports.csv`.
#[must_use]
pub fn ports(report: &Report) -> String {
    let zone = Zone::of(report);
    let row = |of: &PortReport, line: &PortLine| {
        let mut row = port(&of.port.device, &of.port.interface, of.port.kind).to_vec();
        row.extend(slot_and_flows(&zone, line.slot, &line.r#in, &line.out));
        row.extend([seconds(line.covered_ms), Cell::Whole(line.counts.into())]);
        row
    };
    let rows = report.ports.iter().flat_map(|of| of.slots.iter().map(move |line| row(of, line)));
    csv(&PORTS, Headings::Plain, &rows.collect::<Vec<_>>())
}

/// `breaks.csv`.
#[must_use]
pub fn breaks(report: &Report) -> String {
    let zone = Zone::of(report);
    let row = |found: &BreakPart| {
        let mut row = port(&found.device, &found.interface, found.port_kind).to_vec();
        row.extend([word(&found.kind), word(&found.cause)]);
        for reading in [found.before, found.after] {
            row.extend(zone.both(reading.at.0));
            row.extend([Cell::Whole(reading.rx_octets.into()), Cell::Whole(reading.tx_octets.into())]);
        }
        row.extend([whole(found.rx_octets_left_out), whole(found.tx_octets_left_out)]);
        row
    };
    csv(&BREAKS, Headings::Plain, &report.breaks.iter().map(row).collect::<Vec<_>>())
}

fn slot_and_flows(zone: &Zone, slot: Slot, r#in: &Flow, out: &Flow) -> Vec<Cell> {
    let mut cells = zone.both(slot.start()).to_vec();
    cells.extend([r#in, out].map(|flow| Cell::Whole(flow.octets.into())));
    cells.extend([r#in, out].map(|flow| whole(flow.packets)));
    cells.extend([r#in, out].map(|flow| Cell::bps(flow.bps)));
    cells.extend([r#in, out].map(|flow| whole(flow.packets_per_second)));
    cells.extend([r#in, out].map(|flow| whole(flow.mean_packet_octets)));
    cells
}

fn port(device: &str, interface: &str, kind: PortKind) -> [Cell; 3] {
    [Cell::Text(device.to_owned()), Cell::Text(interface.to_owned()), word(kind_name(kind))]
}

/// The word for whose interface it is, as in an inventory.
#[must_use]
pub fn kind_name(kind: PortKind) -> &'static str {
    match kind {
        PortKind::Switch => "switch",
        PortKind::Nic => "nic",
    }
}

fn word(word: &str) -> Cell {
    Cell::Word(word.to_owned())
}

fn whole(number: Option<u64>) -> Cell {
    number.map_or(Cell::Nothing, |number| Cell::Whole(number.into()))
}

/// Milliseconds in seconds, exactly.
fn seconds(ms: u32) -> Cell {
    Cell::Exact(Decimal::new(ms.into(), 3).normalize())
}
