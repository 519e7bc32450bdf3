//! The sample API over real sockets: what it promises to callers, and that the drill's callers,
//! without a gateway, get what they expect.

use std::{net::Ipv4Addr, time::Duration};

use http::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{SampleApi, seed};
use crate::live::{
    attack::Attack,
    browser::{Browser, Send, Target},
    look_alike,
    shoppers::Shoppers,
};

/// A served sample API; it ends with the runtime of its test.
struct Served {
    target: Target,
    _data: TempDir,
    _task: JoinHandle<()>,
}

async fn served() -> Served {
    let data = tempfile::tempdir().unwrap();
    let api = SampleApi::open(data.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        api.serve(listener, std::future::pending()).await.unwrap();
    });
    Served { target: Target::resolve(&url).await.unwrap(), _data: data, _task: task }
}

impl Served {
    fn browser(&self) -> Browser {
        Browser::new(self.target.clone(), Ipv4Addr::LOCALHOST, "test")
    }

    async fn signed_in(&self, number: u32) -> Browser {
        let mut browser = self.browser();
        let person = seed::person(number);
        let login = json!({ "email": person.email, "password": person.password });
        let answer = browser.call(Method::POST, "/api/v1/login", Send::Json(login)).await.unwrap();
        assert_eq!(answer.status, 200);
        browser.carry_token(answer.json()["token"].as_str());
        browser
    }
}

#[tokio::test]
async fn logging_in_and_out_by_token() {
    let served = served().await;
    let mut browser = served.browser();
    let wrong = json!({ "email": seed::person(0).email, "password": "guess" });
    let refused = browser.call(Method::POST, "/api/v1/login", Send::Json(wrong)).await.unwrap();
    assert_eq!((refused.status, refused.event), (401, None));
    assert_eq!(browser.open("/api/v1/profile").await.unwrap().status, 401);

    let mut browser = served.signed_in(0).await;
    let profile = browser.open("/api/v1/profile").await.unwrap().json();
    assert_eq!(profile["email"], seed::person(0).email);
    let out = browser.call(Method::POST, "/api/v1/logout", Send::Nothing).await.unwrap();
    assert_eq!(out.status, 204);
    assert_eq!(browser.open("/api/v1/profile").await.unwrap().status, 401);
}

#[tokio::test]
async fn the_form_answers_200_either_way() {
    let served = served().await;
    let mut browser = served.browser();
    let person = seed::person(3);
    let form = |password: &str| {
        Send::Form(format!("email={}&password={password}", person.email.replace('@', "%40")))
    };
    let failed = browser.call(Method::POST, "/login", form("guess")).await.unwrap();
    assert_eq!(failed.status, 200);
    assert!(failed.json()["error"].is_string());
    assert_eq!(browser.open("/api/v1/orders").await.unwrap().status, 401);
    let worked = browser.call(Method::POST, "/login", form(&person.password)).await.unwrap();
    assert_eq!(worked.status, 200);
    assert_eq!(browser.open("/api/v1/orders").await.unwrap().status, 200);
}

#[tokio::test]
async fn orders_belong_to_their_account() {
    let served = served().await;
    let mut owner = served.signed_in(5).await;
    let basket = json!({ "items": [{ "product_id": 2, "quantity": 3 }] });
    let placed = owner.call(Method::POST, "/api/v1/orders", Send::Json(basket)).await.unwrap();
    assert_eq!(placed.status, 201);
    let order = placed.json();
    assert_eq!(order["total_cents"], seed::product(1).price_cents * 3);
    let path = format!("/api/v1/orders/{}", order["id"]);
    assert_eq!(owner.open(&path).await.unwrap().json(), order);

    let mut other = served.signed_in(6).await;
    assert_eq!(other.open(&path).await.unwrap().status, 404);
    assert_eq!(other.open("/api/v1/accounts/6").await.unwrap().status, 403);
    assert_eq!(other.open("/api/v1/accounts/7").await.unwrap().status, 200);
    for items in [json!([]), json!([{ "product_id": 9_999, "quantity": 1 }])] {
        let basket = Send::Json(json!({ "items": items }));
        let refused = other.call(Method::POST, "/api/v1/orders", basket).await.unwrap();
        assert_eq!(refused.status, 400);
    }
}

#[tokio::test]
async fn products_name_images_of_which_some_are_gone() {
    let served = served().await;
    let mut browser = served.browser();
    let listed = browser.open("/api/v1/products?category=clearance").await.unwrap().json();
    let products = listed["products"].as_array().unwrap();
    assert_eq!(products.len(), 12);
    for product in products {
        let image = browser.open(product["image"].as_str().unwrap()).await.unwrap();
        assert_eq!(image.status, 404);
    }
    let kept = seed::product(0).slug;
    assert_eq!(browser.open(&format!("/images/{kept}.svg")).await.unwrap().status, 200);
    assert_eq!(browser.open(&format!("/api/v1/products/{kept}")).await.unwrap().status, 200);
    assert_eq!(browser.open("/api/v1/nothing").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_shop_that_is_opened_again_keeps_its_orders() {
    let data = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        SampleApi::open(data.path()).unwrap();
    }
    let store = rusqlite::Connection::open(data.path().join("sample.db")).unwrap();
    let accounts: u32 =
        store.query_row("SELECT count(*) FROM accounts", [], |row| row.get(0)).unwrap();
    assert_eq!(accounts, seed::PEOPLE);
}

#[tokio::test]
async fn honest_callers_get_honest_answers() {
    let served = served().await;
    let lasting = Duration::from_millis(700);
    let shoppers = Shoppers { count: 8, lasting, think_ms: 5, seed: 1 };
    let tally = shoppers.run(&served.target).await.unwrap();
    assert!(tally.answered_total() > 100, "{tally}");
    assert!(tally.answered.get(&200) > tally.answered.get(&404), "{tally}");
    assert!(tally.answered.get(&401) > Some(&0), "{tally}");
    let expected = [200, 201, 204, 401, 404];
    assert!(tally.answered.keys().all(|status| expected.contains(status)), "{tally}");
    assert_eq!((tally.refused_total(), tally.failed), (0, 0), "{tally}");
}

#[tokio::test]
async fn attackers_fail_as_attackers_do() {
    let served = served().await;
    let attack = Attack { from: Ipv4Addr::new(127, 66, 6, 6), calls: 200, per_second: 2_000 };
    let stuffed = attack.stuffing(&served.target).await.unwrap();
    assert_eq!(stuffed.answered.get(&401), Some(&199), "{stuffed}");
    assert_eq!(stuffed.answered.get(&200), Some(&1), "{stuffed}");
    let by_form = attack.form_stuffing(&served.target).await.unwrap();
    assert_eq!(by_form.answered.get(&200), Some(&200), "{by_form}");
    let scanned = attack.scan(&served.target).await.unwrap();
    // The word list knows the old form, which wants a POST.
    assert_eq!(scanned.answered.get(&404), Some(&199), "{scanned}");
    assert_eq!(scanned.answered.get(&405), Some(&1), "{scanned}");
}

#[tokio::test]
async fn look_alikes_are_honest() {
    let served = served().await;
    let office = look_alike::office(&served.target, Ipv4Addr::new(127, 30, 0, 1), 20);
    let office = office.await.unwrap();
    assert!(office.answered.get(&200) > Some(&20), "{office}");
    let images = look_alike::dead_images(&served.target, 5).await.unwrap();
    assert_eq!((images.answered[&200], images.answered[&404]), (5, 60));
    let broken = look_alike::broken_link(&served.target, 30).await.unwrap();
    assert_eq!((broken.answered[&200], broken.answered[&404]), (30, 30));
}
