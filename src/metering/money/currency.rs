//! Currencies, with the decimals of their amounts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Codes of ISO 4217 by their number of decimals (its list one, active codes; funds and metals left out).
const BY_DECIMALS: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC \
         CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR \
         JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD \
         NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
         SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// A currency by its ISO 4217 code, with the decimals of its amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    code: String,
    decimals: u32,
}

/// A code that no currency has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency code of ISO 4217, such as JPY, USD or EUR")]
pub struct CurrencyError(String);

impl Currency {
    /// The currency with this code, in capital letters.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(code: &str) -> Result<Self, CurrencyError> {
        let listed = |codes: &&str| codes.split_ascii_whitespace().any(|listed| listed == code);
        match BY_DECIMALS.iter().find(|(_, codes)| listed(codes)) {
            Some((decimals, _)) => Ok(Self { code: code.to_owned(), decimals: *decimals }),
            None => Err(CurrencyError(code.to_owned())),
        }
    }

    /// Digits after the point in an amount: 0 for JPY, 2 for USD and EUR.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        self.decimals
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_decimals() {
        for (code, decimals) in [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("CLF", 4)] {
            assert_eq!(Currency::new(code).unwrap().decimals(), decimals);
        }
        for code in ["", "YEN", "jpy", "JPY USD", "XXX"] {
            assert!(Currency::new(code).is_err(), "{code}");
        }
    }
}
