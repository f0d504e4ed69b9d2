//! A column of texts as an order needs it: whole numbers that are ordered as the texts are.

/// The texts of a column, each once, and the key of each line's.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// In order.
    sorted: Vec<String>,
    /// By the place of the texts that it was made of.
    keys: Vec<u128>,
}

impl Texts {
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut sorted: Vec<String> = texts.clone().map(str::to_owned).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut column = Self { sorted, keys: Vec::new() };
        column.keys = texts.map(|text| column.key_of(text)).collect();
        column
    }

    /// The key of the text at a place.
    pub(super) fn key_at(&self, place: usize) -> Option<u128> {
        self.keys.get(place).copied()
    }

    /// The key of a text: odd where the column has it, or else even and between those of its neighbours. So a page may
    /// begin after a text that is there no more.
    pub(super) fn key_of(&self, text: &str) -> u128 {
        let place = |place: usize| u128::try_from(place).unwrap_or(u128::MAX >> 1);
        match self.sorted.binary_search_by(|known| known.as_str().cmp(text)) {
            Ok(found) => place(found) * 2 + 1,
            Err(between) => place(between) * 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_as_texts_are() {
        let texts = Texts::new(["b", "d", "b", "c"].into_iter());
        assert_eq!(
            (0..5).map(|place| texts.key_at(place)).collect::<Vec<_>>(),
            [Some(1), Some(5), Some(1), Some(3), None]
        );
        let keys = ["", "a", "b", "bb", "c", "d", "e"].map(|text| texts.key_of(text));
        assert_eq!(keys, [0, 0, 1, 2, 3, 5, 6]);
    }
}
