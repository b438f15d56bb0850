//! The SQL that requests run.

use std::sync::OnceLock;

use churnkey_integrator::Mode;
use tokio_postgres::types::ToSql;

/// The text of a statement. Only `statements!` makes one, of a constant, so that nothing a caller sends becomes SQL.
#[derive(Debug)]
pub struct Statement {
    template: &'static str,
    in_schemas: OnceLock<[String; 2]>,
}

impl Statement {
    pub(crate) const fn new(template: &'static str) -> Self {
        Self {
            template,
            in_schemas: OnceLock::new(),
        }
    }

    /// The text for a mode.
    pub fn sql(&self, mode: Mode) -> &str {
        let [live, test] = self.in_schemas.get_or_init(|| {
            [Mode::Live, Mode::Test].map(|mode| {
                let schema = schema(mode);
                qualified(&self.template.replace("{schema}", schema), schema)
            })
        });
        match mode {
            Mode::Live => live,
            Mode::Test => test,
        }
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
        $(pub(crate) static $name: Statement = Statement::new($sql);)+

        /// The statements of this file, each with its name.
        pub(crate) static STATEMENTS: &[(&str, &Statement)] = &[$((stringify!($name), &$name)),+];
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
