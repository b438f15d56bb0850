//! Checks the tables of the documents against the operations: method, path, and whether it is required.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeSet, fs, path::Path};

use churnkey_integrator::Operation;

/// A route in a table. The method's name is `None` if the table has no such column.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    of: String,
    method: Option<String>,
    verb: String,
    path: String,
    required: bool,
}

/// The routes of a file's first table that has a column `Required?`.
fn documented(file: &str) -> BTreeSet<Route> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| line.trim_start_matches("//! "));
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_matches('|').split('|');
        line.map(|cell| cell.trim().to_owned()).collect()
    };
    let mut table = lines
        .skip_while(|line| !line.to_lowercase().contains("| required? |"))
        .take_while(|line| line.starts_with('|'))
        .map(cells);
    let headings = table.next().unwrap();
    let column = |name: &str| headings.iter().position(|h| h.to_lowercase() == name);
    let routes = headings
        .iter()
        .position(|h| h.to_lowercase().starts_with("route"));
    let mut of = String::new();
    let mut found = BTreeSet::new();
    for row in table.skip(1) {
        if !row[0].is_empty() {
            of = row[0].trim_matches(['[', ']', '`']).to_owned();
        }
        let methods = column("method").map(|column| quoted(&row[column]));
        let required = &row[column("required?").unwrap()];
        let mut verb = "";
        for (at, route) in quoted(&row[routes.unwrap()]).into_iter().enumerate() {
            let path = match route.split_once(' ') {
                Some((own, path)) => {
                    verb = own;
                    path
                }
                None => route,
            };
            let path = path.strip_prefix("/churnkey").unwrap_or(path);
            let method = methods.as_ref().map(|names| names.get(at).copied());
            found.insert(Route {
                of: of.clone(),
                method: method.map(|name| name.unwrap_or_default().to_owned()),
                verb: verb.to_owned(),
                path: path.trim_end_matches("?limit&cursor").to_owned(),
                required: !required.starts_with("no"),
            });
        }
    }
    found
}

/// The parts of a text that are between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn of(operation: Operation) -> String {
    let variant = format!("{operation:?}");
    let variant = variant.split('(').next().unwrap();
    match operation {
        Operation::Features => "–".to_owned(),
        _ if operation.path().starts_with("/actions/") => format!("{variant}Action"),
        _ => format!("{variant}Controller"),
    }
}

fn served(has_methods: bool, is_in_the_table: impl Fn(&str) -> bool) -> BTreeSet<Route> {
    let routes = Operation::all().map(|operation| Route {
        of: of(operation),
        method: has_methods.then(|| match operation {
            Operation::Features => String::new(),
            _ => operation.name().split('.').next_back().unwrap().to_owned(),
        }),
        verb: operation.method().to_string(),
        path: operation.path().to_owned(),
        required: operation.is_required(),
    });
    routes.filter(|route| is_in_the_table(&route.of)).collect()
}

/// The rows `| trait | method | route |` of the guide's page, which has another table for what is required.
fn rows_of_the_guide() -> BTreeSet<(String, String, String)> {
    let mut of = String::new();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/endpoints.md");
    let page = fs::read_to_string(page).unwrap();
    let mut found = BTreeSet::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let [name, method, route] = cells[..] else {
            continue;
        };
        if let [own] = quoted(name)[..] {
            of = own.to_owned();
        }
        if let ([method], [route]) = (&quoted(method)[..], &quoted(route)[..])
            && route.contains(" /")
        {
            found.insert((of.clone(), (*method).to_owned(), (*route).to_owned()));
        }
    }
    found
}

#[test]
fn the_guides_page_has_every_trait_method_and_route() {
    let routes = served(true, |of| of != "–").into_iter().map(|route| {
        let Route {
            of,
            method,
            verb,
            path,
            ..
        } = route;
        (of, method.unwrap(), format!("{verb} {path}"))
    });
    assert_eq!(rows_of_the_guide(), routes.collect());
}

#[test]
fn the_tables_of_the_documents_match_the_table_of_operations() {
    assert_eq!(documented("../README.md"), served(false, |_| true));
    assert_eq!(documented("src/lib.rs"), served(false, |_| true));
    let is_controller = |of: &str| of.ends_with("Controller");
    let controllers = documented("src/controllers/mod.rs");
    assert_eq!(controllers, served(true, is_controller));
    let is_action = |of: &str| of.ends_with("Action");
    assert_eq!(documented("src/actions/mod.rs"), served(true, is_action));
}
