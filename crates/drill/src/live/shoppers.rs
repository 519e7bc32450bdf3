//! Honest callers of the sample API: they browse, log in (some mistype first), order, log out.
//!
//! Each is one of the shop's people with an address of their own and comes back until the time is
//! up. Their mistakes are part of being honest: a typo in the password, an image that is gone.

use std::time::Duration;

use anyhow::Result;
use http::Method;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    browser::{Answer, Browser, Send, Target, source},
    tally::Tally,
};
use crate::dice::Dice;
use crate::sample::seed;

/// Share of log-ins that begin with a typo, in percent.
const TYPO_PERCENT: u32 = 20;
/// Share of people who still use the old form, in percent.
const FORM_PERCENT: u32 = 20;
/// The block of loopback addresses honest callers have.
const BLOCK: u8 = 10;

const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
     Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/139.0.0.0 Safari/537.36",
    "SampleShop/4.2 (iPhone; iOS 18.5)",
];

/// How many come, for how long, and how fast they click.
#[derive(Clone, Debug)]
pub struct Shoppers {
    /// People, each with an address.
    pub count: u32,
    /// How long they keep coming back.
    pub lasting: Duration,
    /// Mean time between two clicks.
    pub think_ms: u32,
    /// What the dice begin with.
    pub seed: u64,
}

impl Shoppers {
    /// Lets them shop at `target` until the time is up.
    pub async fn run(&self, target: &Target) -> Result<Tally> {
        let mut people = JoinSet::new();
        for number in 0..self.count {
            let until = Instant::now() + self.lasting;
            let mut shopper = Shopper::new(self, target.clone(), number);
            people.spawn(async move {
                while Instant::now() < until {
                    shopper.visit().await;
                }
                shopper.tally
            });
        }
        let mut total = Tally::default();
        while let Some(tally) = people.join_next().await {
            total.add(tally?);
        }
        Ok(total)
    }
}

/// One person with a browser.
pub(super) struct Shopper {
    browser: Browser,
    person: seed::Person,
    uses_form: bool,
    dice: Dice,
    think_ms: u32,
    pub(super) tally: Tally,
}

impl Shopper {
    fn new(shoppers: &Shoppers, target: Target, number: u32) -> Self {
        let at = Browser::new(target, source(BLOCK, number), user_agent(number));
        Self::at(at, number, shoppers.think_ms, Dice::new(shoppers.seed, u64::from(number)))
    }

    /// The person with this number, at a browser somewhere.
    pub(super) fn at(browser: Browser, number: u32, think_ms: u32, mut dice: Dice) -> Self {
        let person = seed::person(number % seed::PEOPLE);
        let uses_form = dice.percent(FORM_PERCENT);
        Self { browser, person, uses_form, dice, think_ms, tally: Tally::default() }
    }

    async fn visit(&mut self) {
        self.browser.start_over();
        self.browse().await;
        if !self.log_in(TYPO_PERCENT).await {
            return;
        }
        self.look_after_orders().await;
        if self.dice.percent(50) {
            self.call(Method::POST, "/api/v1/logout", Send::Nothing).await;
        }
    }

    /// Opens a list, some of its products and their images; now and then searches.
    pub(super) async fn browse(&mut self) {
        let page = self.dice.below(seed::PRODUCTS / 12);
        self.open(&format!("/api/v1/products?page={page}")).await;
        for _ in 0..=self.dice.below(3) {
            let product = seed::product(self.dice.below(seed::PRODUCTS));
            self.open(&format!("/api/v1/products/{}", product.slug)).await;
            self.open(&format!("/images/{}.svg", product.slug)).await;
        }
        if self.dice.percent(40) {
            let product = seed::product(self.dice.below(seed::PRODUCTS));
            let word = product.slug.split('-').next().unwrap_or_default();
            self.open(&format!("/api/v1/search?q={word}")).await;
        }
    }

    /// Types the password, wrong at first in `typo_percent` of cases; whether it worked in the end.
    pub(super) async fn log_in(&mut self, typo_percent: u32) -> bool {
        let right = self.person.password.clone();
        if self.dice.percent(typo_percent) {
            let mut mistyped = right.clone();
            mistyped.pop();
            self.try_password(&mistyped).await;
        }
        self.try_password(&right).await
    }

    async fn try_password(&mut self, password: &str) -> bool {
        let email = self.person.email.clone();
        if self.uses_form {
            // Neither holds a character that a form would have to escape, except the @.
            let form = format!("email={}&password={password}", email.replace('@', "%40"));
            let answer = self.call(Method::POST, "/login", Send::Form(form)).await;
            return answer.is_some_and(|answer| answer.json()["redirect"].is_string());
        }
        let login = json!({ "email": email, "password": password });
        let answer = self.call(Method::POST, "/api/v1/login", Send::Json(login)).await;
        let json = answer.map(|answer| answer.json()).unwrap_or_default();
        self.browser.carry_token(json["token"].as_str());
        json["token"].is_string()
    }

    async fn look_after_orders(&mut self) {
        self.open("/api/v1/profile").await;
        let listed = self.open("/api/v1/orders").await.map(|answer| answer.json());
        let latest = listed.unwrap_or_default()["orders"][0]["id"].as_i64();
        if let Some(id) = latest {
            self.open(&format!("/api/v1/orders/{id}")).await;
        }
        if self.dice.percent(30) {
            let item = |dice: &mut Dice| {
                let product_id = 1 + dice.below(seed::PRODUCTS);
                json!({ "product_id": product_id, "quantity": 1 + dice.below(3) })
            };
            let basket = json!({ "items": [item(&mut self.dice), item(&mut self.dice)] });
            self.call(Method::POST, "/api/v1/orders", Send::Json(basket)).await;
        }
    }

    async fn open(&mut self, path: &str) -> Option<Answer> {
        self.call(Method::GET, path, Send::Nothing).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Send) -> Option<Answer> {
        sleep(Duration::from_millis(self.dice.around_ms(self.think_ms))).await;
        let result = self.browser.call(method, path, body).await;
        self.tally.count(&result);
        result.ok()
    }
}

/// What the person with this number browses with.
pub(super) fn user_agent(number: u32) -> &'static str {
    USER_AGENTS[number as usize % USER_AGENTS.len()]
}
