//! The SQL of the guide's pages on existing schemas and on mapping, run by PostgreSQL as it stands there.

use churnkey_integrator::{Email, Phone};
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use throwaway_postgres::{TestDatabase, test_database};
use tokio_postgres::{Client, NoTls};

/// The statements of the page, in its order.
struct Page {
    table: String,
    view: String,
    page: String,
    indexes: String,
    by_email: String,
    by_phone: String,
}

impl Page {
    fn read() -> Self {
        let page = include_str!("../../churnkey-integrator/docs/existing-schemas.md");
        let blocks = page.split("```sql\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
        let blocks: [String; 6] = blocks.collect::<Vec<_>>().try_into().unwrap();
        let [table, view, page, indexes, by_email, by_phone] = blocks;
        Self {
            table,
            view,
            page,
            indexes,
            by_email,
            by_phone,
        }
    }
}

/// The page's schema, in a database where the capital I is that of Turkish.
async fn schema(page: &Page) -> (TestDatabase, Client) {
    let database = test_database();
    let connected = tokio_postgres::connect(database.url(), NoTls);
    let (client, connection) = connected.await.unwrap();
    tokio::spawn(connection);
    let turkish = ["mail", "phone"].map(|column| {
        format!(r#"ALTER TABLE account ALTER COLUMN {column} TYPE text COLLATE "tr-x-icu";"#)
    });
    for statements in [&page.table, &turkish.concat(), &page.view, &page.indexes] {
        client.batch_execute(statements).await.unwrap();
    }
    (database, client)
}

/// Accounts from number 1 on.
async fn insert<T: AsRef<str>>(client: &Client, mails: &[T], phones: &[T]) {
    let sql = "INSERT INTO account (account_no, mail, phone) SELECT n, mail, phone \
               FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS rows (mail, phone, n)";
    let texts = |texts: &[T]| texts.iter().map(|text| text.as_ref().to_owned()).collect();
    let (mails, phones): (Vec<String>, Vec<String>) = (texts(mails), texts(phones));
    client.execute(sql, &[&mails, &phones]).await.unwrap();
}

fn email_key(column: &str) -> Option<String> {
    let email = Email::from_column(column).unwrap();
    email.map(|email| email.lookup_key())
}

fn phone_key(column: &str) -> Option<String> {
    let phone = Phone::from_column(column).unwrap();
    phone.and_then(|phone| phone.lookup_key())
}

/// So many texts, the same ones each time.
fn texts(pattern: &'static str) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    vec(pattern, 2_000).new_tree(&mut runner).unwrap().current()
}

#[tokio::test]
async fn the_keys_of_the_view_are_the_lookup_keys() {
    let mut mails = texts(
        "[ \t\n]{0,2}[ a-zA-Z0-9.+\"@\u{e9}\u{c9}\u{df}\u{130}\u{212a}-]{1,12}@[a-zA-Z0-9.\u{fc}-]{1,12}[ \t\r\n]{0,2}",
    );
    let mut phones = texts("[ +0-9a-z/().\u{660}-]{0,4}[+0-9a-z/().\u{660}-]{1,16}[ ]{0,2}");
    for (mail, phone) in [
        ("INFO@EXAMPLE.COM", "+44 1632 960001"),
        (" Zoe+Billing@Example.com ", "0044 1632 960001"),
        ("\"A@B\"@EXAMPLE.COM", "00"),
        ("NO ADDRESS", "+0044"),
        ("", "call me"),
    ] {
        mails.push(mail.to_owned());
        phones.push(phone.to_owned());
    }
    let (_database, client) = schema(&Page::read()).await;
    insert(&client, &mails, &phones).await;
    let sql = "SELECT email_key, phone_key FROM churnkey.customers ORDER BY account_no";
    let rows = client.query(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), mails.len());
    for ((row, mail), phone) in rows.iter().zip(&mails).zip(&phones) {
        let (email, number): (String, String) = (row.get(0), row.get(1));
        assert_eq!(email, email_key(mail).unwrap_or_default(), "{mail:?}");
        match phone_key(phone) {
            Some(key) => assert_eq!(number, key, "{phone:?}"),
            // Without a digit, nobody looks for it.
            None => assert!(number.is_empty() || number == "+", "{phone:?}"),
        }
    }
}

#[tokio::test]
async fn a_domain_with_other_capital_letters_is_not_found_as_the_page_says() {
    let (_database, client) = schema(&Page::read()).await;
    let address = "ada@B\u{dc}CHER.example";
    insert(&client, &[address], &[""]).await;
    let sql = "SELECT email_key FROM churnkey.customers";
    let key: String = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_ne!(email_key(address), Some(key));
}

async fn plan(client: &Client, sql: &str) -> String {
    let lines = client.query(&format!("EXPLAIN {sql}"), &[]).await.unwrap();
    let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    lines.join("\n")
}

#[tokio::test]
async fn the_statements_of_the_page_find_their_rows_by_an_index() {
    let page = Page::read();
    let (_database, client) = schema(&page).await;
    let filler = "INSERT INTO account (account_no, mail, phone) \
                  SELECT n, n || '@example.com', '+1555' || n FROM generate_series(100, 20000) n";
    client.batch_execute(filler).await.unwrap();
    let mails = ["ADA@example.com ", "ada@Example.com", "zoe@example.com", ""];
    let phones = ["+44 (1632) 960-001", "", "0044 1632 960 001", "n/a"];
    insert(&client, &mails, &phones).await;
    let deleted = "UPDATE account SET deleted_at = now() WHERE account_no = 3; ANALYZE account";
    client.batch_execute(deleted).await.unwrap();

    let found = async |sql: &str, key: Option<String>| -> Vec<i64> {
        let rows = client.query(sql, &[&key.unwrap()]).await.unwrap();
        let mut found: Vec<i64> = rows.iter().map(|row| row.get("account_no")).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(
        found(&page.by_email, email_key("Ada@EXAMPLE.com")).await,
        [1, 2]
    );
    assert_eq!(
        found(&page.by_email, email_key("zoe@example.com")).await,
        [0; 0]
    );
    assert_eq!(found(&page.by_phone, phone_key("+441632960001")).await, [1]);
    let rows = client.query(&page.page, &[&1_i64, &2_i64]).await.unwrap();
    let rows: Vec<i64> = rows.iter().map(|row| row.get("account_no")).collect();
    assert_eq!(rows, [2, 4]);

    for (sql, key, index) in [
        (&page.by_email, "'200@example.com'", "account_email_key"),
        (&page.by_phone, "'+1555200'", "account_phone_key"),
        (&page.page, "200", "account_pkey"),
    ] {
        let sql = sql.replace("$1", key).replace("$2", "101");
        let plan = plan(&client, &sql).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{plan}");
    }
    let by_text = "SELECT * FROM churnkey.customers WHERE account_no::text = '200'";
    let plan = plan(&client, by_text).await;
    assert!(plan.contains("Seq Scan"), "{plan}");
}

/// The tables of Pay for Rails, and the plans of a shop, in so far as the query on the page about mapping reads them.
const RAILS: &str = "
    CREATE TABLE plans (id bigserial PRIMARY KEY, name text, amount numeric(10, 2), currency text, interval text,
        interval_count integer, stripe_id text UNIQUE);
    CREATE TABLE pay_customers (id bigserial PRIMARY KEY, owner_type text, owner_id bigint, deleted_at timestamp);
    CREATE TABLE pay_subscriptions (id bigserial PRIMARY KEY, customer_id bigint, processor_plan text, status text,
        quantity integer, created_at timestamp, updated_at timestamp, current_period_start timestamp,
        current_period_end timestamp, trial_ends_at timestamp, ends_at timestamp, pause_starts_at timestamp,
        pause_resumes_at timestamp);
    INSERT INTO plans (name, amount, currency, interval, interval_count, stripe_id)
        VALUES ('Pro', 29.90, 'usd', 'month', 1, 'price_pro');
    INSERT INTO pay_customers (owner_type, owner_id, deleted_at)
        VALUES ('User', 7, NULL), ('User', 7, NULL), ('Team', 7, NULL), ('User', 8, NULL), ('User', 7, now());
    INSERT INTO pay_subscriptions (customer_id, processor_plan)
        VALUES (1, 'price_pro'), (2, 'price_gone'), (3, 'price_pro'), (4, 'price_pro'), (5, 'price_pro'),
            (2, 'price_pro');
";

#[tokio::test]
async fn the_query_of_subscriptions_keeps_those_whose_plan_is_gone_and_those_of_every_account() {
    let page = include_str!("../../churnkey-integrator/docs/mapping.md");
    let (_, query) = page.split_once("```sql\n").unwrap();
    let (query, _) = query.split_once("```").unwrap();
    let database = test_database();
    let connected = tokio_postgres::connect(database.url(), NoTls);
    let (client, connection) = connected.await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(RAILS).await.unwrap();

    let page_after = async |id: i64, limit: i64| -> Vec<(i64, Option<String>)> {
        let rows = client.query(query, &[&7_i64, &id, &limit]).await.unwrap();
        let rows = rows.iter().map(|row| (row.get("id"), row.get("amount")));
        rows.collect()
    };
    let amount = Some("29.90".to_owned());
    assert_eq!(page_after(0, 2).await, [(1, amount.clone()), (2, None)]);
    assert_eq!(page_after(2, 2).await, [(6, amount)]);
}
