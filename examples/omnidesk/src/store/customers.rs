//! Reading customers. What was deleted or purged is not there for any of these.

use std::{collections::BTreeMap, fmt};

use example_app::lower_case_email;
use sqlx::{FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::Result;
use crate::address::ChannelType;

/// A customer with all that belongs to them. `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Customer {
    /// Their number, which is never given to anybody else.
    pub id: i64,
    /// The brand that they are a customer of.
    pub brand_id: i64,
    /// What that brand is called.
    pub brand_name: String,
    /// Their id in the merchant's other systems; unique within the brand.
    pub external_primary_id: Option<String>,
    /// Empty if unknown.
    pub firstname: String,
    /// Empty if unknown.
    pub lastname: String,
    /// Custom fields by their whole names, such as `custom_size`.
    pub custom: BTreeMap<String, String>,
    /// As `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
    /// Their addresses, the oldest first.
    pub channels: Vec<Channel>,
}

/// An address of a customer. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    /// The number of the row.
    pub id: i64,
    /// Its type.
    pub kind: ChannelType,
    /// The address itself.
    pub address: String,
}

impl Customer {
    /// The oldest address of a type.
    #[must_use]
    pub fn first(&self, kind: ChannelType) -> Option<&str> {
        let mut channels = self.channels.iter();
        let channel = channels.find(|channel| channel.kind == kind)?;
        Some(&channel.address)
    }
}

/// A statement over whole customers, which `FROM` on is the caller's. It has to leave out those that were purged.
macro_rules! select_customers {
    ($from_on:literal) => {
        concat!(
            "SELECT c.id, c.brand_id, b.name AS brand_name, c.external_primary_id, c.firstname, c.lastname,
                c.custom, c.created_at,
                (SELECT json_group_array(json_array(id, channel_id, address) ORDER BY id)
                 FROM channels WHERE customer_id = c.id) AS channels
            FROM customers AS c JOIN brands AS b ON b.id = c.brand_id ",
            $from_on
        )
    };
}

/// The customer with this number.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn by_id(db: &mut SqliteConnection, id: i64) -> Result<Option<Customer>> {
    sqlx::query_as(select_customers!("WHERE c.id = ? AND c.purged_at IS NULL"))
        .bind(id)
        .fetch_optional(db)
        .await
}

/// Who has this external id: in one brand, or in any. Two are enough to know that there are several.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn by_external_id(
    db: &mut SqliteConnection,
    external_id: &str,
    brand: Option<i64>,
) -> Result<Vec<Customer>> {
    sqlx::query_as(select_customers!(
        "WHERE c.external_primary_id = ?1 AND c.brand_id = coalesce(?2, c.brand_id)
            AND c.purged_at IS NULL ORDER BY c.id LIMIT 2"
    ))
    .bind(external_id)
    .bind(brand)
    .fetch_all(db)
    .await
}

/// Who has this address in a brand, of whatever type; of several the oldest (O25). E-mail addresses have no letter case.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn by_address(
    db: &mut SqliteConnection,
    brand: i64,
    address: &str,
) -> Result<Option<Customer>> {
    // The plus keeps SQLite from reading the whole brand instead of the address's index.
    sqlx::query_as(select_customers!(
        "WHERE c.id = (SELECT min(o.id) FROM channels AS a JOIN customers AS o ON o.id = a.customer_id
                WHERE a.address IN (?2, ?3) AND (a.address = ?2 OR a.channel_id = 1)
                    AND +o.brand_id = ?1 AND o.purged_at IS NULL)"
    ))
    .bind(brand)
    .bind(address)
    .bind(lower_case_email(address))
    .fetch_optional(db)
    .await
}

/// Customers in the order of their numbers, and how many there are: all of those in whose names or external id every
/// word occurs. The words are in lower case and of ASCII.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn index(
    db: &mut SqliteConnection,
    words: &[String],
    start: i64,
    limit: i64,
) -> Result<(i64, Vec<Customer>)> {
    // The condition stands in both statements; a word that occurs nowhere leaves a customer out.
    macro_rules! with_words {
        ($then:literal) => {
            concat!(
                "WHERE c.purged_at IS NULL AND NOT EXISTS (
                    SELECT 1 FROM json_each(?1) AS word
                    WHERE instr(lower(c.firstname), word.value) = 0 AND instr(lower(c.lastname), word.value) = 0
                        AND instr(lower(coalesce(c.external_primary_id, '')), word.value) = 0) ",
                $then
            )
        };
    }
    let words = serde_json::Value::from(words).to_string();
    let total = sqlx::query_scalar(concat!(
        "SELECT count(*) FROM customers AS c ",
        with_words!("")
    ))
    .bind(&words)
    .fetch_one(&mut *db)
    .await?;
    let page = sqlx::query_as(concat!(
        select_customers!(""),
        with_words!("ORDER BY c.id LIMIT ?2 OFFSET ?3")
    ))
    .bind(&words)
    .bind(limit)
    .bind(start)
    .fetch_all(db)
    .await?;
    Ok((total, page))
}

/// At most so many customers after a number, of one brand or of all: one step into the index at any depth.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn after(
    db: &mut SqliteConnection,
    brand: Option<i64>,
    id: i64,
    limit: i64,
) -> Result<Vec<Customer>> {
    // With a condition for both, SQLite would read through the other brands' customers.
    let statement = match brand {
        None => select_customers!("WHERE c.id > ?1 AND c.purged_at IS NULL ORDER BY c.id LIMIT ?2"),
        Some(_) => select_customers!(
            "WHERE c.brand_id = ?3 AND c.id > ?1 AND c.purged_at IS NULL ORDER BY c.id LIMIT ?2"
        ),
    };
    let page = sqlx::query_as(statement).bind(id).bind(limit);
    match brand {
        None => page.fetch_all(db).await,
        Some(brand) => page.bind(brand).fetch_all(db).await,
    }
}

/// How many of a brand's customers have no external id.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn without_external_id(db: &mut SqliteConnection, brand: i64) -> Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM customers
            WHERE brand_id = ? AND external_primary_id IS NULL AND purged_at IS NULL",
    )
    .bind(brand)
    .fetch_one(db)
    .await
}

/// Who has an address with this look-up key, in one brand or in any. Two are enough to know that there are several.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn by_lookup_key(
    db: &mut SqliteConnection,
    brand: Option<i64>,
    kind: ChannelType,
    key: &str,
) -> Result<Vec<Customer>> {
    sqlx::query_as(select_customers!(
        "WHERE c.id IN (SELECT customer_id FROM channels WHERE channel_id = ?1 AND lookup_key = ?2)
            AND c.brand_id = coalesce(?3, c.brand_id) AND c.purged_at IS NULL ORDER BY c.id LIMIT 2"
    ))
    .bind(kind.id())
    .bind(key)
    .bind(brand)
    .fetch_all(db)
    .await
}

impl FromRow<'_, SqliteRow> for Customer {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        let channels: Vec<(i64, i64, String)> = json(row, "channels")?;
        let channels = channels.into_iter().map(|(id, channel_id, address)| {
            let kind = ChannelType::from_id(channel_id).ok_or_else(|| {
                sqlx::Error::Decode("a channel of a type that the program does not know".into())
            })?;
            Ok(Channel { id, kind, address })
        });
        Ok(Self {
            id: row.try_get("id")?,
            brand_id: row.try_get("brand_id")?,
            brand_name: row.try_get("brand_name")?,
            external_primary_id: row.try_get("external_primary_id")?,
            firstname: row.try_get("firstname")?,
            lastname: row.try_get("lastname")?,
            custom: json(row, "custom")?,
            created_at: row.try_get("created_at")?,
            channels: channels.collect::<Result<_>>()?,
        })
    }
}

fn json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T> {
    let text: &str = row.try_get(column)?;
    // serde_json's own words may quote the data.
    serde_json::from_str(text)
        .map_err(|_| sqlx::Error::Decode(format!("the column {column} holds other JSON").into()))
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
