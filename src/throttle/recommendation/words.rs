//! A recommendation in words, English and Japanese: for mails, the command line and pages.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::{Assumption, Fired, Outcome, Recommendation, Relief};
use crate::closing::explain::layout::{divided, grouped, grouped_text, money};
use crate::inventory::Language;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::sample::Direction;
use crate::metering::throttle::cap::{By, Cap};
use crate::metering::throttle::evidence::Evidence;
use crate::metering::units::Bps;

/// Slots in an hour.
const SLOTS_PER_HOUR: u64 = 12;

/// The one of two texts that is in a language.
pub fn pick<T>(lang: Language, en: T, ja: T) -> T {
    match lang {
        Language::En => en,
        Language::Ja => ja,
    }
}

/// A rate in Mbps with up to three decimals, rounded down: 94,123,456 bit/s are "94.123 Mbps".
#[must_use]
pub fn mbps(bps: Bps) -> String {
    format!("{} Mbps", mbps_figure(bps))
}

/// As [`mbps`], without the unit.
#[must_use]
pub fn mbps_figure(bps: Bps) -> String {
    grouped_text(&divided(bps.0, 1_000_000, 3).0)
}

/// An instant in a billing time zone, to the minute, such as "2026-12-01 00:00 (Asia/Tokyo)".
#[must_use]
pub fn time(at: Instant, timezone: &str) -> String {
    let zone = TimeZone::get(timezone).ok();
    let instant = jiff::Timestamp::from_millisecond(at.0.0).ok();
    match instant.zip(zone) {
        Some((instant, zone)) => {
            format!("{} ({timezone})", instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M"))
        }
        None => rfc3339(at.0),
    }
}

/// An amount, such as "83,790 JPY".
fn amount(amount: Decimal, currency: Option<&str>) -> String {
    format!("{} {}", money(amount), currency.unwrap_or_default()).trim_end().to_owned()
}

/// A share of a whole in percent, rounded down.
fn percent(part: Bps, whole: Bps) -> String {
    divided(part.0.saturating_mul(100), whole.0, 0).0
}

/// Slots as hours, with one decimal where it is not whole: 446 slots are 37.1 h.
fn hours(slots: u64) -> String {
    grouped_text(&divided(slots, SLOTS_PER_HOUR, 1).0)
}

/// As in "the traffic that it ...".
fn does(direction: Direction, lang: Language) -> &'static str {
    match direction {
        Direction::In => pick(lang, "takes in", "受信"),
        Direction::Out => pick(lang, "sends", "送信"),
    }
}

/// One uplink by its name, several by theirs.
fn lines(ids: &[String]) -> String {
    ids.join(" + ")
}

impl Recommendation {
    /// One line: which server, what limit, until when.
    #[must_use]
    pub fn headline(&self, lang: Language) -> String {
        let (server, customer) = (&self.server, &self.customer);
        let (cap, until) = (mbps(self.cap.cap_bps), time(self.until, &self.timezone));
        pick(
            lang,
            format!("Limit server {server} of customer {customer} to {cap} until {until}"),
            format!(
                "サーバー {server} (お客様: {customer}) を {until} まで {cap} に制限することを推奨します"
            ),
        )
    }

    /// Everything that convinces, in one paragraph: why, figures, the limit with its arithmetic, until when, how the month
    /// ends with and without it, whom it relieves.
    #[must_use]
    pub fn paragraph(&self, lang: Language) -> String {
        let stop = pick(lang, ". ", "。");
        let mut parts = vec![self.headline(lang), self.measured(lang)];
        parts.extend(self.reasons(lang));
        parts.push(self.cap.words(lang));
        parts.extend(self.outlook_words(lang));
        parts.extend(self.relief.iter().map(|relief| relief.words(lang)));
        parts.extend(self.others_words(lang));
        let mut text = parts.join(stop);
        text.push_str(stop.trim_end());
        text
    }

    /// What was measured, and what is included.
    #[must_use]
    pub fn measured(&self, lang: Language) -> String {
        let [into, out, included] = [self.in_bps, self.out_bps, self.allowance_bps].map(mbps);
        let (at, plan) = (time(self.at, &self.timezone), &self.plan);
        pick(
            lang,
            format!(
                "In the hour up to {at} it took in {into} and sent {out} on average; plan {plan} and its add-ons include \
                 {included}"
            ),
            format!(
                "{at} までの1時間の平均は受信 {into}、送信 {out} で、プラン {plan} と追加帯域に含まれる帯域は {included} です"
            ),
        )
    }

    /// Why, one sentence a rule.
    #[must_use]
    pub fn reasons(&self, lang: Language) -> Vec<String> {
        self.rules.iter().map(|finding| finding.evidence.words(lang)).collect()
    }

    /// The slots by which the rules hold: how many, from when to when.
    #[must_use]
    pub fn slots_words(&self, lang: Language) -> Option<String> {
        let [first, .., last] = self.slots.as_slice() else {
            return self.slots.first().map(|Fired { slot, .. }| {
                let at = time(*slot, &self.timezone);
                pick(lang, format!("The slot is that of {at}"), format!("該当スロットは {at} です"))
            });
        };
        let [from, to] = [first, last].map(|fired| time(fired.slot, &self.timezone));
        let count = self.slots.len();
        Some(pick(
            lang,
            format!("The {count} slots run from {from} to {to}"),
            format!("該当する {count} スロットは {from} から {to} までです"),
        ))
    }

    /// How the month ends without the limit, and with it.
    #[must_use]
    pub fn outlook_words(&self, lang: Language) -> [String; 2] {
        let period = &self.outlook.period;
        let taken = match self.outlook.assumption {
            Assumption::AsInTheLastHour => {
                pick(lang, "If it goes on as in the last hour", "直近1時間の状態が続いた場合、")
            }
        };
        let [without, with] = [&self.outlook.without, &self.outlook.with].map(|outcome| outcome.words(lang));
        [
            pick(
                lang,
                format!("{taken}, {period} ends with {without}"),
                format!("{taken}{period} は {without} となります"),
            ),
            pick(
                lang,
                format!("With the limit it ends with {with}"),
                format!("制限した場合は {with} となります"),
            ),
        ]
    }

    /// Who else is on the same lines.
    #[must_use]
    pub fn others_words(&self, lang: Language) -> Option<String> {
        if self.others.servers.is_empty() {
            return None;
        }
        let one = |other: &super::Neighbour| {
            let rate = mbps(other.in_bps.max(other.out_bps));
            pick(lang, format!("{} ({rate})", other.server), format!("{} ({rate})", other.server))
        };
        let named: Vec<String> = self.others.servers.iter().map(one).collect();
        let named = named.join(pick(lang, ", ", "、"));
        let more = match self.others.more {
            0 => Cow::from(""),
            more => pick(lang, format!(" and {} more", grouped(more)), format!("ほか {} 台", grouped(more)))
                .into(),
        };
        Some(pick(
            lang,
            format!("On the same uplink are {named}{more}"),
            format!("同じ回線を共有するサーバーは {named}{more}です"),
        ))
    }
}

impl Evidence {
    /// Why the rule holds, in a sentence without its full stop.
    #[must_use]
    pub fn words(&self, lang: Language) -> String {
        match self {
            Self::Sustained(found) => {
                let (factor, of, slots) = (found.factor, found.of, found.fired.len());
                let highest = found.fired.iter().map(|fired| fired.value_bps).max().unwrap_or_default();
                let threshold = found.fired.last().map(|fired| fired.threshold_bps).unwrap_or_default();
                let [threshold, highest] = [threshold, highest].map(mbps);
                pick(
                    lang,
                    format!(
                        "In {slots} of the last {of} slots of five minutes it was at or over {threshold}, which is \
                         {factor} times what is included; the highest was {highest}"
                    ),
                    format!(
                        "直近 {of} スロット (1スロット5分) のうち {slots} スロットで、含まれる帯域の {factor} 倍にあたる \
                         {threshold} 以上でした (最大 {highest})"
                    ),
                )
            }
            Self::LockedIn(found) => {
                let factor = found.factor;
                let [threshold, p95] = [found.threshold_bps, found.locked_in_p95_bps].map(mbps);
                pick(
                    lang,
                    format!(
                        "Even if it falls silent now, the month ends with a 95th percentile of {p95}, at or over {threshold}, \
                         which is {factor} times what is included"
                    ),
                    format!(
                        "今後の通信がなくても当月の95パーセンタイルは {p95} となり、含まれる帯域の {factor} 倍にあたる \
                         {threshold} 以上であることが確定しています"
                    ),
                )
            }
            Self::Uplink(found) => {
                let uplink = found.uplink.clone().unwrap_or_else(|| lines(&found.group));
                let [load, speed, rate] = [found.load_bps, found.speed_bps, found.rate_bps].map(mbps);
                let [tight, much] = [found.load_threshold_bps, found.share_threshold_bps].map(mbps);
                let (full, share) = (found.load_percent, found.share_percent);
                let does = does(found.direction, lang);
                pick(
                    lang,
                    format!(
                        "Uplink {uplink} is at {load}, {full} % of its {speed} (tight from {tight}), and the {rate} that the \
                         server {does} are {share} % of what goes there (much from {much})"
                    ),
                    format!(
                        "回線 {uplink} の使用量は {load} で、速度 {speed} の {full} % に達しており (基準 {tight})、\
                         当該サーバーの{does} {rate} がその {share} % を占めています (基準 {much})"
                    ),
                )
            }
            Self::Flood(found) => {
                let newest = found.slots.last();
                let packets = grouped(newest.map_or(0, |slot| slot.packets_per_second));
                let limit = grouped(found.packets_per_second_threshold);
                let mean_octets = newest.map_or(0, |slot| slot.mean_octets);
                let (small, slots) = (found.mean_octets_limit, found.slots.len());
                let does = does(found.direction, lang);
                pick(
                    lang,
                    format!(
                        "It {does} {packets} packets a second of {mean_octets} octets on average (a flood from {limit} a second \
                         of less than {small} octets), for {slots} slots: possible abuse rather than heavy use"
                    ),
                    format!(
                        "{slots} スロットにわたり、平均 {mean_octets} オクテットのパケットを毎秒 {packets} 個{does}しています \
                         (基準: {small} オクテット未満を毎秒 {limit} 個以上)。通常の利用ではなく不正利用の可能性があります"
                    ),
                )
            }
        }
    }
}

impl Cap {
    /// The limit and how it is found, in a sentence without its full stop.
    #[must_use]
    pub fn words(&self, lang: Language) -> String {
        let Self { cap_bps, computed_bps, floor_bps, .. } = *self;
        let mut text = self.by.words(computed_bps, lang);
        if computed_bps < floor_bps {
            let (cap, floor) = (mbps(cap_bps), mbps(floor_bps));
            text.push_str(&pick(
                lang,
                format!("; below the {floor} that were promised nothing is limited, so it is {cap}"),
                format!("。ただし、お約束している {floor} を下回る制限は行わないため、{cap} とします"),
            ));
        }
        text
    }
}

impl By {
    /// Whether what decides the limit is the month's budget, so that it is needed until the month ends.
    #[must_use]
    pub fn is_about_the_month(&self) -> bool {
        match self {
            Self::Extreme { .. } | Self::Allowance { .. } | Self::LockedIn { .. } => true,
            Self::Uplink { .. } | Self::Flood { .. } => false,
        }
    }

    fn words(&self, computed: Bps, lang: Language) -> String {
        let cap = mbps(computed);
        match *self {
            Self::Extreme {
                slots_to_come, burst_left_slots, factor, release_percent, allowance_bps, ..
            } => {
                let allowance = mbps(allowance_bps);
                let [left, come] = [burst_left_slots, slots_to_come].map(hours);
                pick(
                    lang,
                    format!(
                        "The limit is {cap}, just below {factor} x {allowance} x {release_percent} %, where the server is no longer \
                         extreme: bursts may go on for {left} h, and only {come} h of the month are left"
                    ),
                    format!(
                        "制限値は {factor} × {allowance} × {release_percent} % をわずかに下回る {cap} です。バーストの残り {left} \
                         時間に対し当月の残りは {come} 時間のため、極端な利用とみなされなくなる値としています"
                    ),
                )
            }
            Self::Allowance { allowance_bps, slots_to_come, burst_left_slots } => {
                let allowance = mbps(allowance_bps);
                let [left, come] = [burst_left_slots, slots_to_come].map(hours);
                pick(
                    lang,
                    format!(
                        "The limit is what is included, {allowance}: bursts may go on for {left} h and {come} h of the month are \
                         left, so at any higher rate more would be billed"
                    ),
                    format!(
                        "制限値は含まれる帯域の {allowance} です。バーストの残りは {left} 時間、当月の残りは {come} 時間で、\
                         これを超える帯域では超過料金が増えます"
                    ),
                )
            }
            Self::LockedIn { slots_to_come, allowance_bps, locked_in_p95_bps, locked_in_overage_bps } => {
                let [allowance, p95, overage] =
                    [allowance_bps, locked_in_p95_bps, locked_in_overage_bps].map(mbps);
                let come = hours(slots_to_come);
                pick(
                    lang,
                    format!(
                        "The limit is what is included, {allowance}: the month can no longer end below {p95}, an overage of \
                         {overage}, and in the {come} h that are left nothing is added to that"
                    ),
                    format!(
                        "制限値は含まれる帯域の {allowance} です。当月の95パーセンタイルは {p95} (超過 {overage}) 以上で確定して\
                         おり、残り {come} 時間でこれ以上増えないようにする値です"
                    ),
                )
            }
            Self::Uplink { rate_bps, load_bps, threshold_bps, reduction_bps, .. } => {
                let [rate, load, release, less] =
                    [rate_bps, load_bps, threshold_bps, reduction_bps].map(mbps);
                pick(
                    lang,
                    format!(
                        "The limit is {cap}, just below {rate} - {less}: so much less brings the uplink from {load} below {release}, \
                         where it is no longer tight"
                    ),
                    format!(
                        "制限値は {rate} - {less} をわずかに下回る {cap} です。これにより回線の使用量は {load} から、逼迫していない \
                         {release} 未満まで下がります"
                    ),
                )
            }
            Self::Flood { packets_per_second, mean_octets } => {
                let packets = grouped(packets_per_second);
                pick(
                    lang,
                    format!(
                        "The limit is {cap}, just below {packets} packets a second of {mean_octets} octets, where it is no longer a \
                         flood"
                    ),
                    format!(
                        "制限値は毎秒 {packets} 個 × {mean_octets} オクテットをわずかに下回る {cap} で、フラッドとみなされなくなる値です"
                    ),
                )
            }
        }
    }
}

impl Outcome {
    /// The p95, the overage and what it costs.
    #[must_use]
    pub fn words(&self, lang: Language) -> String {
        let p95 = self.p95_bps.map_or_else(|| pick(lang, "no data", "データなし").to_owned(), mbps);
        let overage = self.overage_bps.map_or_else(|| "-".to_owned(), mbps);
        let mut text = pick(
            lang,
            format!("a 95th percentile of {p95} and an overage of {overage}"),
            format!("95パーセンタイル {p95}、超過 {overage}"),
        );
        if let Some(costs) = self.amount {
            let costs = amount(costs, self.currency.as_deref());
            let _ = write!(text, "{}", pick(lang, format!(", {costs}"), format!(" ({costs})")));
        }
        text
    }
}

impl Relief {
    /// What gets better, in a sentence without its full stop.
    #[must_use]
    pub fn words(&self, lang: Language) -> String {
        let Self { uplinks, freed_bps, load_bps, speed_bps, .. } = self;
        let uplink = lines(uplinks);
        let (before, after) =
            (percent(*load_bps, *speed_bps), percent(load_bps.above(*freed_bps), *speed_bps));
        let [freed, speed] = [*freed_bps, *speed_bps].map(mbps);
        pick(
            lang,
            format!("It relieves uplink {uplink} of {freed}: from {before} % to {after} % of its {speed}"),
            format!(
                "回線 {uplink} ({speed}) の使用率は {freed} 分下がり、{before} % から {after} % になります"
            ),
        )
    }
}
