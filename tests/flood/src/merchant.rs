//! The in-memory example in a process of its own: this program again.

use std::{
    env,
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use example_app::{Clock, Demo, Limits, demo_token, serve};
use in_memory::{churnkey, store::Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) struct Merchant {
    program: Child,
    address: String,
}

impl Merchant {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut program = Command::new(env::current_exe()?)
            .arg("--serve")
            .stdout(Stdio::piped())
            .spawn()?;
        let out = program.stdout.take().ok_or("the merchant has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim_end().to_owned();
        Ok(Self { program, address })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Merchant {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let demo = Demo::load()?;
    let store = Store::new(Clock::Frozen(demo.clock));
    store.live.extend(demo.live);
    let builder = churnkey::builder(&store, demo_token()?);
    let integration = builder.max_in_flight(64).build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let limits = Limits::default();
    serve(
        listener,
        None,
        integration.into_router(),
        limits,
        CancellationToken::new(),
    )
    .await;
    Ok(())
}
