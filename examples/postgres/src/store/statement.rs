//! The SQL that requests run.

use churnkey_integrator::Mode;
use tokio_postgres::types::ToSql;

/// The text of a statement. Only `statements!` makes one, of a constant, so that nothing a caller sends becomes SQL.
#[derive(Debug, Clone, Copy)]
pub struct Statement(&'static str);

impl Statement {
    pub(crate) const fn new(sql: &'static str) -> Self {
        Self(sql)
    }

    /// The text for a mode.
    #[must_use]
    pub fn sql(self, mode: Mode) -> String {
        let schema = schema(mode);
        qualified(&self.0.replace("{schema}", schema), schema)
    }
}

/// The library's statements with the schema of their tables.
pub(super) fn qualified(sql: &str, schema: &str) -> String {
    let prefix = "churnkey_idempotency_";
    sql.replace(prefix, &format!("{schema}.{prefix}"))
}

/// What `$1` and so on stand for.
pub(crate) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// Names statements, and lists them for a test that looks at the plan of each. `{schema}` stands for the schema of the
/// request's mode.
macro_rules! statements {
    ($($name:ident = $sql:expr;)+) => {
        $(pub(crate) const $name: Statement = Statement::new($sql);)+

        /// The statements of this file, each with its name.
        pub(crate) const STATEMENTS: &[(&str, Statement)] = &[$((stringify!($name), $name)),+];
    };
}
pub(crate) use statements;

/// Where a mode's tables are.
pub(super) const fn schema(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "churnkey_live",
        Mode::Test => "churnkey_test",
    }
}
