//! Routes are found by what they name, however the request spells it.

use super::*;

fn index(patterns: &[&str]) -> (Vec<RoutePattern>, RouteIndex) {
    let parsed: Vec<_> =
        patterns.iter().map(|text| RoutePattern::parse(text).expect("a pattern")).collect();
    let index = RouteIndex::new(&parsed);
    (parsed, index)
}

fn check(patterns: &[&str], request: &str, expected: Option<&str>) {
    let (parsed, index) = index(patterns);
    let (method, target) = request.split_once(' ').expect("method and target");
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let path = Path::parse(target.as_bytes(), &Hasher::new(HashKey::new([0; 16])));
    let found = index.find(&method, &path).map(|at| parsed[usize::from(at)].to_string());
    assert_eq!(found.as_deref(), expected, "{request}");
}

const SHOP: [&str; 9] = [
    "POST /v1/login",
    "/v1/login",
    "GET /v1/orders/{id}",
    "GET /v1/orders/recent",
    "/v1/orders/{id}/items/*",
    "/admin/*",
    "GET /admin/health",
    "/",
    "PUT /v1/{any}/recent",
];

#[test]
fn the_narrowest_pattern_wins() {
    for (request, expected) in [
        ("POST /v1/login", Some("POST /v1/login")),
        ("GET /v1/login", Some("/v1/login")),
        ("GET /v1/orders/7", Some("GET /v1/orders/{id}")),
        ("GET /v1/orders/recent", Some("GET /v1/orders/recent")),
        ("PUT /v1/orders/recent", Some("PUT /v1/{any}/recent")),
        ("DELETE /v1/orders/recent", None),
        ("GET /v1/orders/7/items", Some("/v1/orders/{id}/items/*")),
        ("GET /v1/orders/7/items/1/2/3", Some("/v1/orders/{id}/items/*")),
        ("GET /admin", Some("/admin/*")),
        ("GET /admin/", Some("/admin/*")),
        ("GET /admin/health", Some("GET /admin/health")),
        ("POST /admin/health", Some("/admin/*")),
        ("GET /", Some("/")),
        ("GET /v1", None),
        ("GET /administrator", None),
    ] {
        check(&SHOP, request, expected);
    }
}

#[test]
fn the_order_in_the_file_does_not_count() {
    let mut reversed = SHOP;
    reversed.reverse();
    check(&reversed, "POST /v1/login", Some("POST /v1/login"));
    check(&reversed, "GET /admin/health", Some("GET /admin/health"));
}

#[test]
fn another_spelling_of_the_path_does_not_escape() {
    for spelling in
        ["//v1//login/", "/v1/%6cogin", "/v1/x/../login", "/%76%31/./login", "/v1/login//"]
    {
        check(&SHOP, &format!("POST {spelling}"), Some("POST /v1/login"));
    }
}

#[test]
fn an_encoded_slash_escapes_no_narrower_route() {
    for spelling in [
        "/v1%2Flogin",
        "/v1%2flogin",
        "/v1%5Clogin",
        "/x%2F..%2Fv1%2F%2Flogin",
        "/v1/..%2Fv1/login",
    ] {
        check(&SHOP, &format!("POST {spelling}"), Some("POST /v1/login"));
    }
    check(&SHOP, "GET /v1/orders/a%2Fb", Some("GET /v1/orders/{id}"));
    check(&SHOP, "GET /shop%2Fadmin", None);
    check(&["/*", "/admin/*"], "GET /admin%2Fusers", Some("/admin/*"));
    check(&["/p/{id}/issues", "/p/*"], "GET /p/group%2Fname/issues", Some("/p/{id}/issues"));
}

#[test]
fn another_method_of_the_same_meaning_does_not_escape() {
    check(&SHOP, "HEAD /v1/orders/7", Some("GET /v1/orders/{id}"));
    check(&SHOP, "OPTIONS /v1/orders/7", None);
    check(&["GET /a", "HEAD /a"], "HEAD /a", Some("HEAD /a"));
}

#[test]
fn a_path_too_deep_to_be_split_still_finds_its_rest() {
    let deep = format!("GET /admin{}", "/x".repeat(200));
    check(&SHOP, &deep, Some("/admin/*"));
}

#[test]
fn a_search_visits_each_node_at_most_once() {
    // All of literal-or-any in each of 16 places: a search that tried them anew would never end.
    let patterns: Vec<String> = (0_u32..16)
        .map(|place| (0..16).map(|at| if at == place { "/{x}" } else { "/a" }).collect())
        .collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    check(&patterns, &format!("GET {}", "/a".repeat(17)), None);
    check(&patterns, &format!("GET /b{}", "/a".repeat(15)), Some(patterns[0]));
}

#[test]
fn patterns_print_as_they_read() {
    for text in ["POST /v1/login", "/admin/*", "GET /a/{id}/b", "/", "/*"] {
        assert_eq!(RoutePattern::parse(text).expect(text).to_string(), text);
    }
    let canonical = |text| RoutePattern::parse(text).expect("a pattern").to_string();
    assert_eq!(canonical("ANY //a/%62/"), "/a/b");
    assert_eq!(RoutePattern::parse("/a/{x}").ok(), RoutePattern::parse("* /a/{y}").ok());
}

#[test]
fn mistakes_are_explained() {
    for (text, help) in [
        ("post /v1/login", "write \"POST /v1/login\""),
        ("PSOT /v1/login", "did you mean \"POST /v1/login\"?"),
        ("GET,POST /a", "one route names one method, or none for all"),
        ("login", "write a method and a path, as in \"POST /v1/login\" or \"/admin/*\""),
        ("POST login", "a path begins with a slash"),
        ("GET https://a.example/b", "leave scheme and host out: the site names its hosts"),
        ("/a?b=c", "a route is a method and a path; leave the rest out"),
        ("/orders/:id", "write {id}"),
        ("/orders/<id>", "write {id}"),
        ("/orders/order-{id}", "a parameter is a whole segment, as in /orders/{id}"),
        ("/files/**", "write one `*` at the end for everything below"),
        ("/files/*.png", "`*` stands for a whole segment"),
        ("/a/../b", "write the path as it reads once decoded"),
        ("", "write a method and a path, as in \"POST /v1/login\" or \"/admin/*\""),
    ] {
        assert_eq!(RoutePattern::parse(text).expect_err(text).help, help, "{text}");
    }
}

#[test]
fn another_spelling_is_the_same_route_unless_it_has_one_of_its_own() {
    let patterns = ["POST /v1/login", "/users/me", "/users/ME", "/users/{name}", "/Reports/*"];
    for (request, expected) in [
        ("POST /V1/Login", Some("POST /v1/login")),
        ("POST //v1/%4cOGIN;x=1/", Some("POST /v1/login")),
        ("POST /v1;a=b/./login", Some("POST /v1/login")),
        ("GET /v1/LOGIN", None),
        ("GET /users/ME", Some("/users/ME")),
        ("GET /users/Me", Some("/users/ME")),
        ("GET /users/mee", Some("/users/{name}")),
        ("GET /reports/7", Some("/Reports/*")),
    ] {
        check(&patterns, request, expected);
    }
}
