//! The words of an explanation in English and in Japanese.

use std::borrow::Cow;

use crate::closing::gaps::NO_PORT;
use crate::inventory::Language;
use crate::metering::money::Rounding;
use crate::metering::overage::{Method, Missing};
use crate::metering::sample::Direction;

/// The language of a text.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English
    #[default]
    En,
    /// Japanese
    Ja,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::En,
            Lang::Ja => Self::Ja,
        }
    }
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Ja => Self::Ja,
        }
    }
}

impl Lang {
    /// The one of two texts that is in this language.
    pub(crate) fn pick<T>(self, en: T, ja: T) -> T {
        match self {
            Self::En => en,
            Self::Ja => ja,
        }
    }

    pub(crate) fn method(self, method: Method) -> &'static str {
        match method {
            Method::Max => self.pick(
                "the larger of in and out counts in each slot",
                "各スロットで受信と送信のうち大きいほうの値を使います",
            ),
            Method::In => self.pick("only in counts", "受信の値だけを使います"),
            Method::Out => self.pick("only out counts", "送信の値だけを使います"),
            Method::Sum => self
                .pick("in and out together count in each slot", "各スロットで受信と送信の合計値を使います"),
            Method::Separate => self.pick(
                "in and out are ranked each by itself, and the one with the larger result counts",
                "受信と送信を別々に順位付けし、結果の大きいほうを使います",
            ),
        }
    }

    /// What is ranked, in few words.
    pub(crate) fn method_name(self, method: Method) -> &'static str {
        match method {
            Method::Max => self.pick("the larger of in and out", "受信・送信の大きいほう"),
            Method::In => self.pick("in", "受信"),
            Method::Out => self.pick("out", "送信"),
            Method::Sum => self.pick("in + out", "受信+送信"),
            Method::Separate => self.pick("in and out, each by itself", "受信・送信それぞれ"),
        }
    }

    /// By what values are ranked, where there is one allowance or where there are several.
    pub(crate) fn order(self, one_allowance: bool) -> &'static str {
        if one_allowance {
            self.pick("Values are put in order, the largest first.", "値を大きい順に並べます。")
        } else {
            self.pick(
                "Values are put in order by how far they are above the allowance in force in their slot.",
                "各スロットの時点の契約帯域をどれだけ超えたかで、値を大きい順に並べます。",
            )
        }
    }

    pub(crate) fn missing(self, missing: Missing) -> &'static str {
        match missing {
            Missing::Zero => self.pick(
                "A slot without a sample counts as 0: it never raises the bill.",
                "計測値のないスロットは0として扱うため、ご請求が増えることはありません。",
            ),
            Missing::Exclude => self.pick(
                "A slot without a sample is not ranked.",
                "計測値のないスロットは順位付けの対象に含めません。",
            ),
        }
    }

    pub(crate) fn direction(self, direction: Direction) -> &'static str {
        match direction {
            Direction::In => self.pick("in", "受信"),
            Direction::Out => self.pick("out", "送信"),
        }
    }

    pub(crate) fn rounded(self, rounding: Rounding) -> &'static str {
        match rounding {
            Rounding::Up => self.pick("rounded up", "切り上げ"),
            Rounding::Down => self.pick("rounded down", "切り捨て"),
            Rounding::HalfUp => self.pick("rounded to the nearest", "四捨五入"),
        }
    }

    /// The cause of a gap or a break, of several where it names several.
    pub(crate) fn cause(self, cause: Option<&str>) -> String {
        let Some(cause) = cause else {
            return self.pick("not known", "不明").to_owned();
        };
        let one = |cause| match cause {
            "reset" => Cow::from(
                self.pick("the port's counters started again", "ポートのカウンターがリセットされた"),
            ),
            "gap" => self.pick("no readings arrived", "計測データが届かなかった").into(),
            "implausible" => self
                .pick("more was counted than the port can carry", "ポートの速度を超える値が計数された")
                .into(),
            NO_PORT => self.pick("no port was assigned", "ポートの割り当てがなかった").into(),
            other => Cow::from(other),
        };
        cause.split('+').map(one).collect::<Vec<_>>().join(self.pick("; ", "、"))
    }
}
