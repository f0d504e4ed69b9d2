//! The files that `npm run build` makes, as they were when meter95 was compiled: the dashboard, and what reports look like.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "dashboards/web/dist"]
#[allow_missing = true]
struct Files;

/// A file.
#[derive(Debug, Clone)]
pub struct File {
    /// What is in it.
    pub content: Cow<'static, [u8]>,
    /// The SHA-256 of that.
    pub sha256: [u8; 32],
}

/// The file of a path such as `fonts/OFL.txt`; `None` where there is none, as where the dashboard was not built before.
#[must_use]
pub fn file(path: &str) -> Option<File> {
    let file = Files::get(path)?;
    Some(File { sha256: file.metadata.sha256_hash(), content: file.data })
}
