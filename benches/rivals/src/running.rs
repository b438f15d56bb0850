//! A server in a process of its own.

use std::{
    env,
    error::Error,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rivals::{
    by_hand::SigningKey,
    client::{Answer, Call, Connection},
    customers::id,
    source::Source,
};

use crate::{
    cores, node,
    rival::{Program, Rival},
};

/// The token of every call.
pub(crate) const TOKEN: &str = "a-token-for-the-rivals-0001";

/// The level of the servers that log. At it what goes wrong is written, and nothing about calls that are answered.
const LOG: &str = "warn";

/// A server on the server's core. It ends when this is dropped.
pub(crate) struct Running {
    process: Process,
    address: SocketAddr,
    started_in: Duration,
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts a server, and waits for its first answer.
    pub(crate) fn start(rival: Rival, source: &Source) -> Result<Self, Box<dyn Error>> {
        let mut command = match rival.program() {
            Program::Rust(server) => {
                let mut command = cores::command_on(cores::SERVER, env::current_exe()?);
                command.args(["serve", server.name()]).env("RUST_LOG", LOG);
                command
            }
            Program::Node(file) => {
                let mut command = cores::command_on(cores::SERVER, "node");
                command.arg(node::programs()?.join(file));
                command.env("NODE_ENV", "production");
                command
            }
        };
        match source {
            Source::Memory { customers } => {
                command.args(["--customers", &customers.to_string()]);
            }
            Source::Postgres { url } => {
                command.args(["--database", url]);
            }
        }
        command.env("CK_INTEGRATION_TOKEN", TOKEN);
        let begun = Instant::now();
        let mut process = Process(command.stdout(Stdio::piped()).spawn()?);
        let out = process.0.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim_end().parse();
        let address = address.map_err(|_| format!("{} did not start", rival.name()))?;
        let path = format!("/churnkey/customers/{}", id(1));
        let call = Call::signed(&path, &SigningKey::new(TOKEN));
        let Answer { status, .. } = Connection::open(address)?.call(&call)?;
        if status != 200 {
            return Err(format!("{} answered its first call {status}", rival.name()).into());
        }
        Ok(Self {
            process,
            address,
            started_in: begun.elapsed(),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.0.id()
    }

    /// How long it took from its start to its first answer.
    pub(crate) fn started_in(&self) -> Duration {
        self.started_in
    }
}
