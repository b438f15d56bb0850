CREATE TABLE labels (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    company TEXT NOT NULL,
    user_id TEXT,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- The name in lower case.
    folded TEXT NOT NULL,
    description TEXT NOT NULL,
    color TEXT NOT NULL
) STRICT;

CREATE INDEX labels_of_company ON labels (company, name);

-- AUTOINCREMENT: the number of a deleted row never comes again, so a page that ends at it stays where it is.
CREATE TABLE customers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    company TEXT NOT NULL,
    app TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    phone TEXT,
    phone_key TEXT,
    -- A JSON array. Its numbers have the digits that were sent.
    address TEXT NOT NULL,
    avatar TEXT NOT NULL,
    -- Whether the labels are a list, if an empty one, or null.
    has_labels INTEGER NOT NULL,
    -- What a search looks through, in lower case, a line a field.
    folded TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The app comes last, so that a look-up in the whole company is served as well.
CREATE UNIQUE INDEX customers_by_email ON customers (company, email_key, app);
CREATE INDEX customers_by_phone ON customers (company, phone_key, app);
CREATE INDEX customers_of_company ON customers (company, seq);
CREATE INDEX customers_of_app ON customers (company, app, seq);

CREATE TABLE customer_labels (
    customer_seq INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    label_seq INTEGER NOT NULL REFERENCES labels ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (customer_seq, label_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX customers_with_label ON customer_labels (label_seq);
