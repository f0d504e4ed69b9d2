//! Whom to tell next.
