//! What the fuzzer calls: an inventory from its text to all that is wrong with it, or to what is in force. Whatever an
//! input is, this comes back.

use super::{File, FileError, Syntax, parse};
use crate::inventory::Inventory;
use crate::inventory::diff::changes;
use crate::inventory::document::Document;
use crate::inventory::warnings::warnings;

/// Takes one file: an octet says whether it is TOML or JSON, and the rest is the text. Returns whether there is an
/// inventory in it.
///
/// # Panics
/// When it is not the same once it is written and read again, or is refused without a word or with a line that it does
/// not have: for the fuzzer to see.
pub fn inventory(input: &[u8]) -> bool {
    let [how, text @ ..] = input else { return false };
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let syntax = if how & 1 == 0 { Syntax::Toml } else { Syntax::Json };
    let lines = text.split('\n').count();
    let document = match parse(text, syntax) {
        Ok(document) => document,
        Err(wrong) => {
            assert!(!wrong.to_string().is_empty());
            assert!(wrong.line.is_none_or(|line| (1..=lines).contains(&line)), "{wrong:?} of {lines}");
            return false;
        }
    };
    again(&document);
    let file = File { document, name: "f".to_owned(), text: text.to_owned(), syntax };
    match file.inventory() {
        Ok(_) => {
            assert!(changes(&file.document, &file.document).is_empty(), "it differs from itself");
            let _ = file.warning(&warnings(&file.document));
            true
        }
        Err(FileError::Wrong { problems, .. }) => {
            assert!(!problems.is_empty());
            for (line, says) in problems {
                assert!(!says.is_empty());
                assert!(line.is_none_or(|line| (1..=lines).contains(&line)), "{line:?} of {lines}: {says}");
            }
            false
        }
        Err(FileError::Read { .. }) => false,
    }
}

/// What was read is the same after it was written, in either syntax, and so is what is wrong with it.
fn again(document: &Document) {
    let json = serde_json::to_string(document).unwrap_or_default();
    let told = parse(&json, Syntax::Json);
    assert_eq!(told.as_ref(), Ok(document), "{json}");
    // TOML has no number over 2^63 - 1.
    if let Ok(toml) = toml::to_string(document) {
        assert_eq!(parse(&toml, Syntax::Toml).as_ref(), Ok(document), "{toml}");
    }
    let problems = |document| Inventory::from_document(document).err();
    assert_eq!(told.as_ref().ok().and_then(problems), problems(document));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_were_found_are_taken() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/inventory");
        let mut inputs = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let good = inventory(&std::fs::read(&path).unwrap());
            assert_eq!(good, name.starts_with("good-"), "{name}");
            inputs += 1;
        }
        assert!(inputs > 4, "{inputs} inputs");
    }
}
