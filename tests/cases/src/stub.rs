//! The customer database that a helpdesk looks callers up in: one customer, as the demo data say.

use std::{collections::HashMap, io, net::SocketAddr};

use axum::{Json, Router, extract::Query, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// A stub on a loopback address. It ends when this is dropped.
#[derive(Debug)]
pub struct CrmStub {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl CrmStub {
    /// Starts the stub on a free port.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let app = Router::new().route("/customerlookup", get(look_up));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, task })
    }

    /// The look-up URL, as a brand has it configured.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/customerlookup?key=xyzzy", self.address)
    }
}

impl Drop for CrmStub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look_up(Query(asked): Query<HashMap<String, String>>) -> (StatusCode, Json<Value>) {
    let parameter = |name: &str| asked.get(name).map(String::as_str);
    if parameter("key") != Some("xyzzy") {
        return (StatusCode::BAD_REQUEST, Json(json!([])));
    }
    let found = match (parameter("channelAddressType"), parameter("address")) {
        (Some("phoneNumber"), Some("+31612312311")) => {
            json!([{"primaryID": "text", "firstname": "Thomas", "lastname": "de Vries"}])
        }
        _ => json!([]),
    };
    (StatusCode::OK, Json(found))
}
