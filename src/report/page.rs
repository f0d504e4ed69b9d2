//! The page: who and when, the four figures that matter, the month's course, the ranked values, and how it all comes about.

mod chart;
mod curve;
mod parts;
mod plot;

use jiff::tz::TimeZone;

use super::drawing::{ACCENT, BLACK, Drawing, GREY, HEIGHT, Len, PALE, PT, Side, Stroke, Style, WIDTH};
use super::fonts::{Fonts, Weight};
use super::sheet::{Sheet, Standing};
use crate::closing::explain::layout::{Clock, bps, mbps, mbps_cut, money};
use crate::closing::explain::text::Lang;
use crate::closing::statement::{Kind, Statement};
use crate::metering::money::Tariff;

/// Where the page's contents begin and end.
const LEFT: Len = 48 * PT;
const RIGHT: Len = WIDTH - 48 * PT;
const BOTTOM: Len = HEIGHT - 34 * PT;

/// Between columns.
const GUTTER: Len = 18 * PT;

/// Baselines of the head.
const TITLE: Len = 58 * PT;
const WHO: Len = 86 * PT;
const TERMS: Len = 126 * PT;
const STANDING: Len = 164 * PT;

/// Baselines of what follows; all of it is lower by `ASIDE` where the page says that it is not final.
const FIGURES: Len = 168 * PT;
const CHART: Len = 238 * PT;
const LOWER: Len = 424 * PT;
const WORDS: Len = 566 * PT;
const ASIDE: Len = 20 * PT;

/// Styles of type.
const HEADLINE: Style = Style::new(19 * PT, Weight::Bold, BLACK);
const HEADLINE_LIGHT: Style = Style::new(19 * PT, Weight::Regular, GREY);
const HEADING: Style = Style::new(9 * PT, Weight::Bold, BLACK);
const LABEL: Style = Style::new(7 * PT, Weight::Regular, GREY);
const BODY: Style = Style::new(8 * PT, Weight::Regular, BLACK);
const STRONG: Style = Style::new(8 * PT, Weight::Bold, BLACK);

/// Sizes in which a name may stand on one line, the first that fits; one that is longer has two lines of the last.
const NAME_SIZES: [Len; 3] = [12 * PT, 10 * PT, 8 * PT];

/// Sizes in which a figure may stand, the first that fits.
const FIGURE_SIZES: [Len; 5] = [20 * PT, 17 * PT, 14 * PT, 11 * PT, 8 * PT];

/// From one line of text to the next.
const LEADING: Len = 1_150;

/// A thin line.
const RULE: Stroke = Stroke::new(PALE, 60);

/// The page as it is drawn.
struct Page<'a> {
    sheet: &'a Sheet,
    lang: Lang,
    fonts: &'a Fonts,
    clock: Clock,
    zone: TimeZone,
    drawing: Drawing,
    /// By how much all below the head is lower.
    lower: Len,
}

/// One of the four figures: what it is, the number, its unit, and two lines on it.
struct Figure {
    label: &'static str,
    number: String,
    unit: String,
    notes: [String; 2],
}

/// The page of a sheet; `place` is its number among how many.
pub(super) fn page(sheet: &Sheet, lang: Lang, fonts: &Fonts, place: (usize, usize)) -> Drawing {
    let statement = sheet.statement();
    let zone = sheet.explanation.timezone();
    let clock = Clock::new(zone.clone(), statement.from, statement.until);
    let drawing = Drawing { title: String::new(), says: String::new(), items: Vec::new() };
    let lower = match sheet.standing {
        Standing::Issued => 0,
        Standing::UnderReview | Standing::Preliminary { .. } => ASIDE,
    };
    let mut page = Page { sheet, lang, fonts, clock, zone, drawing, lower };
    page.drawing.title = page.title();
    page.head();
    page.standing();
    page.figures();
    page.chart();
    page.curve();
    page.facts();
    page.words();
    page.foot(place);
    page.drawing
}

impl<'a> Page<'a> {
    fn statement(&self) -> &'a Statement {
        self.sheet.statement()
    }

    fn pick(&self, en: impl Into<String>, ja: impl Into<String>) -> String {
        self.lang.pick(en.into(), ja.into())
    }

    /// A text from `x` on.
    fn put(&mut self, (x, y): (Len, Len), style: Style, width_max: Len, text: &str) -> Len {
        self.drawing.text(self.fonts, (Side::Left, x, y), style, width_max, text)
    }

    /// A text that ends at `x`.
    fn put_right(&mut self, (x, y): (Len, Len), style: Style, width_max: Len, text: &str) -> Len {
        self.drawing.text(self.fonts, (Side::Right, x, y), style, width_max, text)
    }

    /// A text around `x`.
    fn put_middle(&mut self, (x, y): (Len, Len), style: Style, width_max: Len, text: &str) {
        self.drawing.text(self.fonts, (Side::Middle, x, y), style, width_max, text);
    }

    fn heading(&mut self, place: (Len, Len), en: &'static str, ja: &'static str) -> Len {
        self.put(place, HEADING, RIGHT - LEFT, self.lang.pick(en, ja))
    }

    fn title(&self) -> String {
        let Statement { server, kind, .. } = self.statement();
        let month = self.month();
        match kind {
            Kind::Server => self.pick(
                format!("Bandwidth report of server {server}, {month}"),
                format!("帯域利用レポート サーバー {server} {month}"),
            ),
            Kind::Pool => self.pick(
                format!("Bandwidth report of pool {server}, {month}"),
                format!("帯域利用レポート プール {server} {month}"),
            ),
        }
    }

    /// The month's name.
    fn month(&self) -> String {
        let start = self.statement().period.span(&self.zone).0;
        let at = jiff::Timestamp::from_millisecond(start.0).unwrap_or_default().to_zoned(self.zone.clone());
        at.strftime(self.lang.pick("%B %Y", "%Y年%-m月")).to_string()
    }

    fn head(&mut self) {
        let sheet = self.sheet;
        let Statement { server, customer, region, kind, .. } = self.statement();
        let month = self.month();
        let title = self.lang.pick("Bandwidth report", "帯域利用レポート");
        self.put((LEFT, TITLE), HEADLINE, RIGHT - LEFT, title);
        self.put_right((RIGHT, TITLE), HEADLINE_LIGHT, 200 * PT, &month);
        let under = TITLE + 11 * PT;
        self.drawing.line(&[(LEFT, under), (RIGHT, under)], Stroke::new(ACCENT, 140));
        let of_kind = match kind {
            Kind::Server => self.lang.pick("Server", "サーバー"),
            Kind::Pool => self.lang.pick("Pool", "プール"),
        };
        let (name, id) = match &sheet.customer {
            Some(name) => (name.as_str(), customer.as_str()),
            None => (customer.as_str(), ""),
        };
        let half = (RIGHT - LEFT + GUTTER) / 2;
        self.name(LEFT, self.lang.pick("Customer", "お客様"), name, id);
        self.name(LEFT + half, of_kind, server, region);
        self.terms();
    }

    /// A name under what it is, and what it is known by besides.
    fn name(&mut self, x: Len, label: &str, name: &str, beside: &str) {
        let room = (RIGHT - LEFT - GUTTER) / 2;
        let wide = self.put((x, WHO), LABEL, room, label);
        self.put((x + wide + 6 * PT, WHO), LABEL, room - wide - 6 * PT, beside);
        let fits = |size: &Len| self.fonts.width(name, Weight::Bold, *size) <= room;
        match NAME_SIZES.into_iter().find(fits) {
            Some(size) => {
                self.put((x, WHO + 15 * PT), Style::new(size, Weight::Bold, BLACK), room, name);
            }
            None => {
                self.paragraph((x, WHO + 12 * PT), room, name, (STRONG, 2));
            }
        }
    }

    /// By which terms, of which time, and by which statement.
    fn terms(&mut self) {
        let Statement { plan, timezone, from, until, revision, issued_at, .. } = self.statement();
        let (from, until) = (self.clock.time(from.0), self.clock.time(until.0));
        let statement = match self.sheet.standing {
            Standing::Issued => {
                let at = self.clock.time(issued_at.0);
                self.pick(format!("revision {revision}, {at}"), format!("第{revision}版 {at}"))
            }
            Standing::UnderReview => {
                self.pick(format!("revision {revision}, not issued"), format!("第{revision}版(未発行)"))
            }
            Standing::Preliminary { .. } => self.lang.pick("none yet", "未発行").to_owned(),
        };
        let columns = [
            (self.lang.pick("Plan", "プラン"), plan.clone(), 96),
            (
                self.lang.pick("Period", "対象期間"),
                self.pick(format!("{from} to {until}"), format!("{from} ～ {until}")),
                170,
            ),
            (self.lang.pick("Time zone", "タイムゾーン"), timezone.clone(), 100),
            (self.lang.pick("Statement", "明細"), statement, 133),
        ];
        let mut x = LEFT;
        for (label, value, width) in columns {
            let room = (width - 8) * PT;
            self.put((x, TERMS), LABEL, room, label);
            self.put((x, TERMS + 11 * PT), BODY, room, &value);
            x += width * PT;
        }
    }

    /// That these figures are not final, so that nobody overlooks it.
    fn standing(&mut self) {
        let Statement { until, period, .. } = self.statement();
        let (says, why) = match self.sheet.standing {
            Standing::Issued => return,
            Standing::UnderReview => (
                self.lang.pick("Under review", "確認中").to_owned(),
                self.lang.pick(
                    "The statement is not issued yet. A person looks at it first, and figures may change.",
                    "明細は未発行です。担当者が確認中のため、数値が変わることがあります。",
                ),
            ),
            Standing::Preliminary { until: at } => {
                let is_over = at >= period.span(&self.zone).1;
                let at = self.clock.time(at.min(until.0));
                let why = if is_over {
                    self.lang.pick(
                        "The month is over, but its statement is not issued yet; figures may change.",
                        "対象月は終了していますが、明細は未発行です。数値が変わることがあります。",
                    )
                } else {
                    self.lang.pick(
                        "The month is not over. Figures are those of the part up to then, and will change.",
                        "対象月は終了していません。数値はその時点までのもので、今後変わります。",
                    )
                };
                (self.pick(format!("Preliminary, as of {at}"), format!("速報値({at} 現在)")), why)
            }
        };
        let (top, y) = (STANDING - 12 * PT, STANDING - 50);
        let size = (RIGHT - LEFT, 17 * PT);
        self.drawing.rectangle((LEFT, top), size, None, Some(Stroke::new(BLACK, 80)));
        let x = LEFT + 7 * PT;
        let width = self.put((x, y), STRONG, RIGHT - x, &says);
        let x = x + width + 8 * PT;
        self.put((x, y), BODY, RIGHT - 7 * PT - x, why);
    }

    fn figures(&mut self) {
        let figures = [self.allowance(), self.p95(), self.overage(), self.amount()];
        // What else a screen reader is told of the page.
        let says: Vec<String> = figures
            .iter()
            .map(|figure| format!("{}: {} {}", figure.label, figure.number, figure.unit))
            .collect();
        self.drawing.says = says.join("; ");
        let (wide, y) = ((RIGHT - LEFT + GUTTER) / 4, FIGURES + self.lower);
        for (figure, at) in figures.iter().zip(0..) {
            let (x, room) = (LEFT + at * wide, wide - GUTTER);
            let is_last = at == 3;
            let ink = if is_last { ACCENT } else { BLACK };
            let (rule, thick) = if is_last { (ACCENT, 160) } else { (BLACK, 80) };
            self.drawing.line(&[(x, y - 9 * PT), (x + room, y - 9 * PT)], Stroke::new(rule, thick));
            self.put((x, y + 2 * PT), LABEL, room, figure.label);
            self.number((x, y + 24 * PT), ink, room, figure);
            for (note, below) in figure.notes.iter().zip([37, 47]) {
                self.put((x, y + below * PT), LABEL, room, note);
            }
        }
    }

    /// A figure with its unit, as large as there is room for.
    fn number(&mut self, (x, y): (Len, Len), ink: super::drawing::Ink, room: Len, figure: &Figure) {
        let unit = Style::new(9 * PT, Weight::Regular, ink);
        let unit_room = match figure.unit.as_str() {
            "" => 0,
            text => self.fonts.width(text, unit.weight, unit.size) + 4 * PT,
        };
        let fits = |size: &Len| self.fonts.width(&figure.number, Weight::Bold, *size) <= room - unit_room;
        let size = FIGURE_SIZES.into_iter().find(fits).unwrap_or(FIGURE_SIZES[FIGURE_SIZES.len() - 1]);
        let width = self.put((x, y), Style::new(size, Weight::Bold, ink), room - unit_room, &figure.number);
        self.put((x + width + 4 * PT, y), unit, room - width - 4 * PT, &figure.unit);
    }

    fn allowance(&self) -> Figure {
        let Statement { allowances, .. } = self.statement();
        let notes = match allowances.as_slice() {
            [] | [_] => [self.lang.pick("in the whole period", "期間を通じて一定").to_owned(), String::new()],
            [.., before, last] => {
                let (from, before) = (self.clock.time(last.from.0), mbps(before.bps));
                [
                    self.pick(format!("from {from} on"), format!("{from} から")),
                    self.pick(format!("before that {before} Mbps"), format!("それ以前は {before} Mbps")),
                ]
            }
        };
        Figure {
            label: self.lang.pick("Allowance", "契約帯域"),
            number: allowances.last().map_or_else(|| "–".to_owned(), |step| mbps(step.bps)),
            unit: "Mbps".to_owned(),
            notes,
        }
    }

    fn p95(&self) -> Figure {
        let Statement { p95_bps, .. } = self.statement();
        let label = self.lang.pick("95th percentile", "95パーセンタイル値");
        let Some(p95) = *p95_bps else {
            let notes = [self.lang.pick("no data", "計測データなし").to_owned(), String::new()];
            return Figure { label, number: "–".to_owned(), unit: String::new(), notes };
        };
        let by_method = self.lang.method_name(self.statement().method).to_owned();
        Figure {
            label,
            number: mbps_cut(p95),
            unit: "Mbps".to_owned(),
            notes: [format!("{} bit/s", bps(p95)), by_method],
        }
    }

    fn overage(&self) -> Figure {
        let Statement { overage_bps, billable_bps, tariff, .. } = self.statement();
        let Some(overage) = *overage_bps else {
            let label = self.lang.pick("Overage", "超過帯域");
            return Figure {
                label, number: "–".to_owned(), unit: String::new(), notes: Default::default()
            };
        };
        let exact = format!("{} bit/s", bps(overage));
        match billable_bps.zip(tariff.as_ref()) {
            Some((billable, tariff)) => {
                let (unit, rounded) = (mbps(tariff.unit()), self.lang.rounded(tariff.rounding()));
                let unit = self.pick(
                    format!("{rounded} to units of {unit} Mbps"),
                    format!("{unit} Mbps 単位に{rounded}"),
                );
                Figure {
                    label: self.lang.pick("Billable overage", "課金対象の超過帯域"),
                    number: mbps(billable),
                    unit: "Mbps".to_owned(),
                    notes: [exact, unit],
                }
            }
            None => Figure {
                label: self.lang.pick("Overage", "超過帯域"),
                number: mbps_cut(overage),
                unit: "Mbps".to_owned(),
                notes: [exact, String::new()],
            },
        }
    }

    fn amount(&self) -> Figure {
        let Statement { amount, currency, tariff, .. } = self.statement();
        let label = match self.sheet.standing {
            Standing::Issued => self.lang.pick("Amount", "ご請求額"),
            Standing::UnderReview => self.lang.pick("Amount, under review", "金額(確認中)"),
            Standing::Preliminary { .. } => self.lang.pick("Amount so far", "現時点の金額"),
        };
        let Some(tariff) = tariff else {
            let says =
                self.lang.pick("the plan has no price for overage", "このプランに超過料金はありません");
            let notes = [says.to_owned(), String::new()];
            return Figure { label, number: "–".to_owned(), unit: String::new(), notes };
        };
        Figure {
            label,
            number: amount.map_or_else(|| "–".to_owned(), money),
            unit: currency.clone().unwrap_or_default(),
            notes: [self.price(tariff), String::new()],
        }
    }

    fn price(&self, tariff: &Tariff) -> String {
        let currency = tariff.currency();
        match tariff.tiers() {
            [tier] => {
                let price = money(tier.price.into());
                self.pick(format!("{price} {currency} per Mbps"), format!("単価 {price} {currency}/Mbps"))
            }
            tiers => {
                let n = tiers.len();
                self.pick(format!("in {n} price tiers, see below"), format!("{n}段階の単価(下記参照)"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
