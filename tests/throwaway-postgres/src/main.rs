//! `cargo run -p throwaway-postgres`: an empty database for a script. It prints the database's URL, and the database is
//! gone when standard input ends.

use std::io;

use throwaway_postgres::test_database;

fn main() -> io::Result<()> {
    let database = test_database();
    println!("{}", database.url());
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}
