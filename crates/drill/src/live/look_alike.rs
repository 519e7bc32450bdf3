//! Honest callers that look like attackers: whoever blocks these has a false alarm.
//!
//! - an office: hundreds of people behind one address log in, a quarter mistypes first;
//! - dead images: browsers load a page of twelve products whose images are all gone;
//! - a broken link: everybody who reads the newsletter asks for one page that is not there.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    browser::{Browser, Target, source},
    shoppers::{Shopper, user_agent},
    tally::Tally,
};
use crate::dice::Dice;
use crate::sample::seed;

/// People of the office who type at the same moment.
const AT_ONCE: usize = 8;
/// Share of the office that mistypes first, in percent.
const OFFICE_TYPO_PERCENT: u32 = 25;
/// The block of loopback addresses these callers have.
const BLOCK: u8 = 20;
const THINK_MS: u32 = 40;

/// `people` of one office, all at the address `from`: each browses a little and logs in.
pub async fn office(target: &Target, from: Ipv4Addr, people: u32) -> Result<Tally> {
    let desks = Arc::new(Semaphore::new(AT_ONCE));
    let mut office = JoinSet::new();
    for number in 0..people {
        let browser = Browser::new(target.clone(), from, user_agent(number));
        let desks = Arc::clone(&desks);
        office.spawn(async move {
            let _desk = desks.acquire_owned().await;
            let mut shopper = Shopper::at(browser, number, THINK_MS, Dice::new(3, number.into()));
            shopper.browse().await;
            shopper.log_in(OFFICE_TYPO_PERCENT).await;
            shopper.tally
        });
    }
    sum(office).await
}

/// `browsers` at an address each, all loading the clearance page with its twelve dead images.
pub async fn dead_images(target: &Target, browsers: u32) -> Result<Tally> {
    arrivals(browsers, target, |mut browser, mut tally| async move {
        tally.count(&browser.open("/api/v1/products?category=clearance").await);
        let first = seed::PRODUCTS - seed::CLEARANCE_PRODUCTS;
        for product in (first..seed::PRODUCTS).map(seed::product) {
            tally.count(&browser.open(&format!("/images/{}.svg", product.slug)).await);
        }
        tally
    })
    .await
}

/// `callers` at an address each, all following one broken link and then looking around.
pub async fn broken_link(target: &Target, callers: u32) -> Result<Tally> {
    arrivals(callers, target, |mut browser, mut tally| async move {
        tally.count(&browser.open("/newsletter/summer-sale").await);
        tally.count(&browser.open("/api/v1/products").await);
        tally
    })
    .await
}

/// Lets `count` browsers arrive, a hundred a second, and sums what each of them got.
async fn arrivals<F>(
    count: u32,
    target: &Target,
    visit: impl Fn(Browser, Tally) -> F,
) -> Result<Tally>
where
    F: Future<Output = Tally> + Send + 'static,
{
    let mut visitors = JoinSet::new();
    let mut due = Instant::now();
    for number in 0..count {
        due += Duration::from_millis(10);
        sleep(due - Instant::now()).await;
        let browser = Browser::new(target.clone(), source(BLOCK, number), user_agent(number));
        visitors.spawn(visit(browser, Tally::default()));
    }
    sum(visitors).await
}

async fn sum(mut visitors: JoinSet<Tally>) -> Result<Tally> {
    let mut total = Tally::default();
    while let Some(tally) = visitors.join_next().await {
        total.add(tally?);
    }
    Ok(total)
}
