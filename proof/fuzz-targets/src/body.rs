//! The bodies of actions, signed.

use churnkey_integrator::{Mode, Operation};
use http::{Method, Request};

use crate::merchant::{answer, signed};

/// No body of an action is a server error. One that is not a JSON object is a 400.
///
/// # Panics
/// If it is not so.
pub fn body(data: &[u8]) {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    let actions: Vec<Operation> = Operation::all()
        .filter(|operation| operation.method() == Method::POST)
        .collect();
    let action = actions[usize::from(*first) % actions.len()];
    let path = format!("/churnkey{}", action.path());
    let mut request = Request::post(&path).body(body.to_vec()).unwrap();
    *request.headers_mut() = signed(&Method::POST, &path, Mode::Test, body);
    let answer = answer(request);
    let is_object =
        serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|value| value.is_object());
    match is_object {
        true => assert!(
            matches!(answer.status(), 200 | 400 | 404 | 409 | 422),
            "{answer:?}"
        ),
        false => assert!(matches!(answer.status(), 400 | 413), "{answer:?}"),
    }
}
