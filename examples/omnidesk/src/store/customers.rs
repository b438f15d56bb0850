//! Reading customers. No function finds deleted or purged ones.

use std::{collections::BTreeMap, fmt};

use example_app::lower_case_email;
use sqlx::{FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::Result;
use crate::address::ChannelType;

/// A customer with everything that belongs to them. `Debug` shows only the id.
#[derive(Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id, which is never used again.
    pub id: i64,
    /// The brand.
    pub brand_id: i64,
    /// The name of the brand.
    pub brand_name: String,
    /// The id in the merchant's other systems, unique within the brand.
    pub external_primary_id: Option<String>,
    /// Empty if unknown.
    pub firstname: String,
    /// Empty if unknown.
    pub lastname: String,
    /// Custom fields by their full names, such as `custom_size`.
    pub custom: BTreeMap<String, String>,
    /// As `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
    /// The addresses, oldest first.
    pub channels: Vec<Channel>,
}

/// An address of a customer. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    /// The id of the row.
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

/// A statement that reads customers. The caller adds `FROM` and the rest, and has to leave out purged ones.
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

/// The customer with this id.
///
/// # Errors
/// If the database fails.
pub async fn by_id(db: &mut SqliteConnection, id: i64) -> Result<Option<Customer>> {
    sqlx::query_as(select_customers!("WHERE c.id = ? AND c.purged_at IS NULL"))
        .bind(id)
        .fetch_optional(db)
        .await
}

/// The customers with this external id, in one brand or in all. At most two, which is enough to know that there are several.
///
/// # Errors
/// If the database fails.
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

/// The customer with this address in a brand, of any type. Of several, the oldest (O25). E-mail addresses ignore letter case.
///
/// # Errors
/// If the database fails.
pub async fn by_address(
    db: &mut SqliteConnection,
    brand: i64,
    address: &str,
) -> Result<Option<Customer>> {
    // The plus makes SQLite use the index of addresses, and not read the whole brand.
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

/// The customers whose names or external id contain every word, in order of id, and how many there are. The words are lower-case
/// ASCII.
///
/// # Errors
/// If the database fails.
pub async fn index(
    db: &mut SqliteConnection,
    words: &[String],
    start: i64,
    limit: i64,
) -> Result<(i64, Vec<Customer>)> {
    // Both statements have the condition: no word may be missing from a customer.
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

/// At most this many customers after a number, of one brand or of all. One step into the index, at any depth.
///
/// # Errors
/// If the database fails.
pub async fn after(
    db: &mut SqliteConnection,
    brand: Option<i64>,
    id: i64,
    limit: i64,
) -> Result<Vec<Customer>> {
    // Two statements: with one condition for both cases, SQLite would read the other brands' customers as well.
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

/// The number of a brand's customers without an external id.
///
/// # Errors
/// If the database fails.
pub async fn without_external_id(db: &mut SqliteConnection, brand: i64) -> Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM customers
            WHERE brand_id = ? AND external_primary_id IS NULL AND purged_at IS NULL",
    )
    .bind(brand)
    .fetch_one(db)
    .await
}

/// The owners of an address, by its look-up key, in one brand or in all. At most two, which is enough to know that there are
/// several.
///
/// # Errors
/// If the database fails.
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
    // serde_json's message may quote the data.
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
