//! The servers that are measured, as columns of the table.

use rivals::Server;

/// A server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rival {
    Ours,
    Production,
    Lean,
    Fastify,
    Express,
    Hyper,
}

/// What a rival is written in.
pub(crate) enum Program {
    Rust(Server),
    /// The name of a file in `node/`.
    Node(&'static str),
}

impl Rival {
    pub(crate) const IN_MEMORY: [Self; 6] = [
        Self::Ours,
        Self::Production,
        Self::Lean,
        Self::Fastify,
        Self::Express,
        Self::Hyper,
    ];
    pub(crate) const OVER_POSTGRES: [Self; 5] = [
        Self::Ours,
        Self::Production,
        Self::Lean,
        Self::Fastify,
        Self::Express,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Production => "axum, production-like",
            Self::Lean => "axum, lean",
            Self::Fastify => "Fastify",
            Self::Express => "Express",
            Self::Hyper => "bare hyper",
        }
    }

    pub(crate) fn program(self) -> Program {
        match self {
            Self::Ours => Program::Rust(Server::Ours),
            Self::Production => Program::Rust(Server::Production),
            Self::Lean => Program::Rust(Server::Lean),
            Self::Fastify => Program::Node("fastify.js"),
            Self::Express => Program::Node("express.js"),
            Self::Hyper => Program::Rust(Server::Hyper),
        }
    }
}
