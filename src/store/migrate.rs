//! Numbered changes of the schema, each safe to repeat.

use std::collections::BTreeSet;

use super::connection::{Store, StoreError};

/// Every change so far, in order. One that was released is never edited; a new one is added.
const MIGRATIONS: &[(u32, &str)] = &[
    (1, include_str!("migrations/0001_facts_and_what_follows.sql")),
    (2, include_str!("migrations/0002_superseded_samples.sql")),
    (3, include_str!("migrations/0003_collectors.sql")),
    (4, include_str!("migrations/0004_closing.sql")),
    (5, include_str!("migrations/0005_cases.sql")),
    (6, include_str!("migrations/0006_alerts.sql")),
    (7, include_str!("migrations/0007_access.sql")),
    (8, include_str!("migrations/0008_answers.sql")),
    (9, include_str!("migrations/0009_views_for_dashboards.sql")),
];

impl Store {
    /// Makes the database where it is missing, and applies what has not been applied to it.
    pub(super) async fn migrate(&self) -> Result<(), StoreError> {
        let database = self.database_name();
        self.read("creating the database", |client| async move {
            let client = client.with_database("system");
            client
                .query("CREATE DATABASE IF NOT EXISTS ?")
                .bind(clickhouse::sql::Identifier(database))
                .execute()
                .await
        })
        .await?;
        self.read("creating the table of migrations", |client| async move {
            let sql = "CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, applied_at DateTime DEFAULT now()) \
                       ENGINE = ReplacingMergeTree ORDER BY version";
            client.query(sql).execute().await
        })
        .await?;
        let applied: BTreeSet<u32> = self
            .read("reading which migrations were applied", |client| async move {
                client.query("SELECT version FROM schema_migrations").fetch_all().await
            })
            .await?
            .into_iter()
            .collect();
        let known = MIGRATIONS.iter().map(|(version, _)| *version).max().unwrap_or(0);
        if let Some(newer) = applied.iter().find(|version| **version > known) {
            return Err(StoreError::Contents(format!(
                "the schema is at version {newer}, this meter95 knows {known}; use a newer meter95"
            )));
        }
        for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| !applied.contains(version)) {
            for statement in statements(sql) {
                let statement = &statement;
                self.read("applying a migration", |client| async move {
                    client.query_raw(statement).execute().await
                })
                .await?;
            }
            self.read("noting a migration", |client| async move {
                client
                    .query("INSERT INTO schema_migrations (version) VALUES (?)")
                    .bind(version)
                    .execute()
                    .await
            })
            .await?;
            tracing::info!(version, "migrated the schema");
        }
        Ok(())
    }
}

/// The statements of a migration: comments are whole lines, a statement ends with a semicolon at a line's end.
fn statements(sql: &str) -> Vec<String> {
    let lines: Vec<&str> = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let statements = lines.join("\n");
    statements
        .split(";\n")
        .chain(None)
        .map(|s| s.trim().trim_end_matches(';').to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_upwards_and_can_be_repeated() {
        assert!(MIGRATIONS.is_sorted_by(|(before, _), (after, _)| before < after));
        for (_, sql) in MIGRATIONS {
            for statement in statements(sql) {
                assert!(
                    statement.contains("IF NOT EXISTS") || statement.contains("IF EXISTS"),
                    "{statement}"
                );
            }
        }
        assert_eq!(statements("-- a\nA\n(b);\n\nC;\n"), ["A\n(b)", "C"]);
    }
}
