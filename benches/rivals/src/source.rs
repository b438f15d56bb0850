//! Where the customers come from.

/// Where a server takes its customers from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The first generated customers, in memory.
    Memory {
        /// How many there are.
        customers: u32,
    },
    /// The tables of the Postgres example.
    Postgres {
        /// The database's address.
        url: String,
    },
}

/// How many connections to the database a server opens at most: as many as the Postgres example.
pub const MAX_CONNECTIONS: usize = postgres::store::Store::MAX_CONNECTIONS;
