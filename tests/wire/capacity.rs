//! How many requests may run at a time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use churnkey_integrator::{
    CustomerId, CustomersController, Integration, RequestContext, Result, controller,
    model::Customer,
};
use tokio::{
    io::AsyncWriteExt,
    sync::{Semaphore, mpsc},
};

use crate::{
    merchants::token,
    socket::{Reply, Server},
};

/// Answers `cus_slow` when it is let go, and everybody else at once.
struct Slow {
    begun: Mutex<mpsc::UnboundedSender<()>>,
    let_go: Arc<Semaphore>,
}

#[controller]
impl CustomersController for Slow {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        if id.as_str() == "cus_slow" {
            self.begun.lock().unwrap().send(())?;
            self.let_go.acquire().await?.forget();
        }
        Ok(Some(Customer::new(id.clone())))
    }
}

struct Merchant {
    server: Server,
    begun: mpsc::UnboundedReceiver<()>,
    let_go: Arc<Semaphore>,
}

/// A merchant who answers two at a time.
async fn merchant() -> Merchant {
    let (begun, begins) = mpsc::unbounded_channel();
    let let_go = Arc::new(Semaphore::new(0));
    let slow = Slow {
        begun: Mutex::new(begun),
        let_go: Arc::clone(&let_go),
    };
    let builder = Integration::builder("Slow", token()).customers(slow);
    let integration = builder.max_in_flight(2).build().unwrap();
    Merchant {
        server: Server::start(integration.into_router(), &token()).await,
        begun: begins,
        let_go,
    }
}

const SLOW: &str = "/churnkey/customers/cus_slow";

#[tokio::test]
async fn more_than_may_run_is_a_503_at_once_before_its_body_has_come() {
    let mut merchant = merchant().await;
    let mut running = Vec::new();
    for _ in 0..2 {
        let request = merchant.server.request("GET", SLOW).signed();
        running.push(request.start().await);
        merchant.begun.recv().await.unwrap();
    }
    let refused = merchant.server.get("/churnkey/customers/cus_1").await;
    let sentence = "Service Unavailable".to_owned();
    assert_eq!(refused.error(), (503, sentence.clone()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    let head = "POST /churnkey/actions/subscription/cancel HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\n\
                Authorization: ck-demo-integration-token-0001\r\nConnection: close\r\n\r\n{";
    let without_body = merchant.server.exchange(head.as_bytes());
    let without_body = tokio::time::timeout(Duration::from_secs(3), without_body).await;
    assert_eq!(without_body.unwrap().error(), (503, sentence));

    merchant.let_go.add_permits(2);
    for stream in running {
        assert_eq!(Reply::of(stream).await.status, 200);
    }
    let answered = merchant.server.get("/churnkey/customers/cus_1").await;
    assert_eq!(answered.status, 200);
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_the_place_to_others() {
    let mut merchant = merchant().await;
    for _ in 0..5 {
        let request = merchant.server.request("GET", SLOW).signed();
        let gone = request.start().await;
        merchant.begun.recv().await.unwrap();
        drop(gone);
        // The server has to see that it is gone.
        let answered = async {
            while merchant
                .server
                .get("/churnkey/customers/cus_1")
                .await
                .status
                != 200
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), answered)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn callers_without_a_valid_credential_take_no_place_of_those_who_have_one() {
    let merchant = merchant().await;
    let head = "POST /churnkey/actions/subscription/cancel HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\n\
                X-Churnkey-Timestamp: TIME\r\nX-Churnkey-Signature: v1=SIGNATURE\r\n\r\n{";
    let now = churnkey_integrator::Timestamp::now()
        .unix_seconds()
        .to_string();
    let head = head
        .replace("TIME", &now)
        .replace("SIGNATURE", &"0".repeat(64));
    let mut waiting = Vec::new();
    for _ in 0..10 {
        let mut stream = merchant.server.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        waiting.push(stream);
    }
    let wrong = merchant
        .server
        .request("GET", SLOW)
        .header("authorization", "wrong")
        .send()
        .await;
    assert_eq!(wrong.status, 401, "that they are in the server by now");
    let answered = merchant.server.get("/churnkey/customers/cus_1").await;
    assert_eq!(answered.status, 200);
}

#[test]
fn none_at_all_is_a_build_error() {
    let slow = Slow {
        begun: Mutex::new(mpsc::unbounded_channel().0),
        let_go: Arc::new(Semaphore::new(0)),
    };
    let builder = Integration::builder("Slow", token())
        .customers(slow)
        .live_only();
    let error = builder.max_in_flight(0).build().unwrap_err().to_string();
    assert!(error.contains("max_in_flight is 0"), "{error}");
}
