//! Who shops and what is sold: the same on every machine, so that callers know their passwords and
//! measurements can be repeated.
//!
//! Everything is computed from a number. The addresses are in `example.com`, the account numbers
//! are valid in form only, and nobody lives behind any of it.

/// Accounts in a fresh shop.
pub const PEOPLE: u32 = 600;
/// Products in a fresh shop.
pub const PRODUCTS: u32 = 84;
/// Products of the category `clearance`: their images are all gone.
pub const CLEARANCE_PRODUCTS: u32 = 12;

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person {
    /// Log-in name.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they type to log in.
    pub password: String,
    /// Bank account for refunds.
    pub iban: String,
}

/// Something on sale.
#[derive(Clone, Debug)]
pub struct Product {
    /// Name in paths.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// What it is listed under.
    pub category: &'static str,
    /// Price in cents.
    pub price_cents: i64,
    /// Whether the image that it names still exists.
    pub image_exists: bool,
}

const FIRST: [&str; 20] = [
    "Ada", "Bruno", "Chiara", "Daan", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaja",
    "Luca", "Mina", "Nils", "Olga", "Pavel", "Rosa", "Sami", "Tessa", "Yusuf",
];
const LAST: [&str; 15] = [
    "Moreau", "Lindgren", "Okafor", "Petrov", "Quispe", "Rossi", "Schmidt", "Tanaka", "Ueda",
    "Varga", "Weber", "Xu", "Yilmaz", "Zeman", "Abadi",
];
const WORDS: [&str; 16] = [
    "amber", "birch", "cobalt", "dune", "ember", "fjord", "grove", "harbor", "indigo", "juniper",
    "kestrel", "lagoon", "meadow", "nectar", "onyx", "pebble",
];
const THINGS: [&str; 14] = [
    "kettle", "lamp", "blanket", "teapot", "basket", "mirror", "stool", "vase", "clock", "bowl",
    "tray", "rug", "jar", "shelf",
];
const CATEGORIES: [&str; 4] = ["kitchen", "living", "office", "garden"];

/// The person with this number, counted from 0.
#[must_use]
pub fn person(number: u32) -> Person {
    let first = pick(&FIRST, number);
    let last = pick(&LAST, number / 20);
    let word = pick(&WORDS, number.wrapping_mul(7));
    Person {
        email: format!("{}.{}{number}@example.com", first.to_lowercase(), last.to_lowercase()),
        name: format!("{first} {last}"),
        password: format!("{word}-{}-{}", pick(&THINGS, number), 1_000 + number * 7),
        iban: iban(number),
    }
}

/// The product with this number, counted from 0. The last dozen is on clearance.
#[must_use]
pub fn product(number: u32) -> Product {
    let (word, thing) = (pick(&WORDS, number / 14), pick(&THINGS, number));
    let clearance = number >= PRODUCTS - CLEARANCE_PRODUCTS;
    Product {
        slug: format!("{word}-{thing}"),
        name: format!("{} {thing}", capital(word)),
        category: if clearance { "clearance" } else { pick(&CATEGORIES, number) },
        price_cents: 900 + i64::from(number * 137 % 9_000),
        image_exists: !clearance && number % 9 != 8,
    }
}

/// A German account number with the check digits of ISO 13616.
fn iban(number: u32) -> String {
    let account = format!("37040044{:010}", 532_013_000 + u64::from(number) * 97);
    // "DE00" moves to the end and its letters count as 13 and 14; 98 minus the rest checks.
    let rest = format!("{account}131400")
        .bytes()
        .fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("DE{:02}{account}", 98 - rest)
}

fn pick<'w>(words: &[&'w str], number: u32) -> &'w str {
    words[number as usize % words.len()]
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn people_and_products_do_not_repeat() {
        let emails: BTreeSet<String> = (0..PEOPLE).map(|n| person(n).email).collect();
        assert_eq!(emails.len(), PEOPLE as usize);
        let slugs: BTreeSet<String> = (0..PRODUCTS).map(|n| product(n).slug).collect();
        assert_eq!(slugs.len(), PRODUCTS as usize);
        let gone = (0..PRODUCTS).map(product).filter(|p| p.category == "clearance");
        assert_eq!(gone.filter(|p| !p.image_exists).count(), 12);
    }

    #[test]
    fn the_account_number_checks() {
        // The published example of the standard has this bank and account.
        assert_eq!(iban(0), "DE89370400440532013000");
    }
}
