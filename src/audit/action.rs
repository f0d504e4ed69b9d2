//! What can be done, by the words under which it is found in the audit. Those that begin alike are about the same.

/// An inventory is put in force.
pub const INVENTORY_APPLY: &str = "inventory.apply";
/// A month is closed.
pub const PERIOD_CLOSE: &str = "period.close";
/// A held statement is issued.
pub const REVIEW_APPROVE: &str = "review.approve";
/// Issued statements are corrected.
pub const STATEMENT_REVISE: &str = "statement.revise";
/// An incident is declared.
pub const EXCLUSION_DECLARE: &str = "exclusion.declare";
/// An incident is taken back.
pub const EXCLUSION_WITHDRAW: &str = "exclusion.withdraw";
/// A step of a case is taken: with the step's name after it.
pub const CASE: &str = "case.";
/// A token is made.
pub const TOKEN_CREATE: &str = "token.create";
/// A token is revoked.
pub const TOKEN_REVOKE: &str = "token.revoke";
/// Somebody logs in to the dashboard.
pub const SESSION_LOGIN: &str = "session.login";
/// Somebody logs out.
pub const SESSION_LOGOUT: &str = "session.logout";
/// Somebody could not log in.
pub const SESSION_REFUSED: &str = "session.refused";
/// A collector is taken out of account.
pub const COLLECTOR_FORGET: &str = "collector.forget";
/// A message is sent that says it is a test.
pub const ALERTS_TEST: &str = "alerts.test";
/// A month's samples are made again.
pub const REBUILD: &str = "rebuild";
/// Readings are taken from files.
pub const IMPORT: &str = "import";
/// Something is asked of the API that the role may not do: the request is the target.
pub const REFUSED: &str = "request.refused";
