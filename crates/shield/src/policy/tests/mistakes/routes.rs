//! What is wrong with routes and their limits.

use expect_test::expect;

use super::check_site;

#[test]
fn route_without_match() {
    check_site(
        r#"  [[site.route]]
  label = "login"
"#,
        expect![[r#"
            palisade.toml:4:3: the route has no `match`
            4 |   [[site.route]]
              |   ^^^^^^^^^^^^^^
            help: write match = "POST /v1/login""#]],
    );
}

#[test]
fn route_in_single_brackets() {
    check_site(
        r#"  [site.route]
  match = "/a"
"#,
        expect![[r#"
            palisade.toml:4:9: `route` needs double brackets: there may be several
            4 |   [site.route]
              |         ^^^^^
            help: write [[site.route]] above each, in double brackets"#]],
    );
}

#[test]
fn route_twice() {
    check_site(
        r#"  [[site.route]]
  match = "GET /orders/{id}"
  [[site.route]]
  match = "GET /orders/{order}"
"#,
        expect![[r#"
            palisade.toml:7:11: two routes match `GET /orders/{order}`
            7 |   match = "GET /orders/{order}"
              |           ^^^^^^^^^^^^^^^^^^^^^
            help: the other is at palisade.toml:5; make them one"#]],
    );
}

#[test]
fn route_method_misspelt() {
    check_site(
        r#"  [[site.route]]
  match = "PSOT /v1/login"
"#,
        expect![[r#"
            palisade.toml:5:11: `match`: unknown method "PSOT"
            5 |   match = "PSOT /v1/login"
              |           ^^^^^^^^^^^^^^^^
            help: did you mean "POST /v1/login"?"#]],
    );
}

#[test]
fn route_method_in_lower_case() {
    check_site(
        r#"  [[site.route]]
  match = "post /v1/login"
"#,
        expect![[r#"
            palisade.toml:5:11: `match`: unknown method "post"
            5 |   match = "post /v1/login"
              |           ^^^^^^^^^^^^^^^^
            help: write "POST /v1/login""#]],
    );
}

#[test]
fn route_without_slash() {
    check_site(
        r#"  [[site.route]]
  match = "v1/login"
"#,
        expect![[r#"
            palisade.toml:5:11: `match`: "v1/login" is not a route
            5 |   match = "v1/login"
              |           ^^^^^^^^^^
            help: write a method and a path, as in "POST /v1/login" or "/admin/*""#]],
    );
}

#[test]
fn route_with_a_query() {
    check_site(
        r#"  [[site.route]]
  match = "GET /search?q=a"
"#,
        expect![[r#"
            palisade.toml:5:11: `match`: "GET /search?q=a" has a query
            5 |   match = "GET /search?q=a"
              |           ^^^^^^^^^^^^^^^^^
            help: a route is a method and a path; leave the rest out"#]],
    );
}

#[test]
fn route_parameter_of_another_product() {
    check_site(
        r#"  [[site.route]]
  match = "GET /orders/:id"
"#,
        expect![[r#"
            palisade.toml:5:11: `match`: ":id" is no segment
            5 |   match = "GET /orders/:id"
              |           ^^^^^^^^^^^^^^^^^
            help: write {id}"#]],
    );
}

#[test]
fn label_misspelt() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  label = "logn"
"#,
        expect![[r#"
            palisade.toml:6:11: `label`: unknown value "logn"
            6 |   label = "logn"
              |           ^^^^^^
            help: did you mean "login"?"#]],
    );
}

#[test]
fn label_by_another_word() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/signin"
  label = "sign-in"
"#,
        expect![[r#"
            palisade.toml:6:11: `label`: unknown value "sign-in"
            6 |   label = "sign-in"
              |           ^^^^^^^^^
            help: write "login""#]],
    );
}

#[test]
fn label_unknown() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/pay"
  label = "money"
"#,
        expect![[r#"
            palisade.toml:6:11: `label`: unknown value "money"
            6 |   label = "money"
              |           ^^^^^^^
            help: one of other, login, refresh, logout, signup, reset-request, reset-confirm, otp-send, otp-verify, password-change, search, object-read, object-write, checkout, redeem, export, upload, admin, webhook, graphql, health, static"#]],
    );
}

#[test]
fn rate_as_text() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = "10/m"
"#,
        expect![[r#"
            palisade.toml:6:10: `rate` is a string, not a table
            6 |   rate = "10/m"
              |          ^^^^^^
            help: say whom it is for: { per = "source", limit = "10/m" }"#]],
    );
}

#[test]
fn rate_without_whom() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ limit = "10/m" }]
"#,
        expect![[r#"
            palisade.toml:6:11: a rate has no `per`
            6 |   rate = [{ limit = "10/m" }]
              |           ^^^^^^^^^^^^^^^^^^
            help: write { per = "source", limit = "10/m" }"#]],
    );
}

#[test]
fn rate_without_limit() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ per = "account" }]
"#,
        expect![[r#"
            palisade.toml:6:11: a rate has no `limit`
            6 |   rate = [{ per = "account" }]
              |           ^^^^^^^^^^^^^^^^^^^
            help: write { per = "source", limit = "10/m" }"#]],
    );
}

#[test]
fn rate_per_client() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ per = "client", limit = "10/m" }]
"#,
        expect![[r#"
            palisade.toml:6:19: `per`: unknown value "client"
            6 |   rate = [{ per = "client", limit = "10/m" }]
              |                   ^^^^^^^^
            help: write "source""#]],
    );
}

#[test]
fn rate_without_time() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ per = "source", limit = "10" }]
"#,
        expect![[r#"
            palisade.toml:6:37: `limit`: "10" is not a rate
            6 |   rate = [{ per = "source", limit = "10" }]
              |                                     ^^^^
            help: write how many in which time, as in "10/m" or "100/s""#]],
    );
}

#[test]
fn rate_with_a_long_unit() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ per = "source", limit = "10/min" }]
"#,
        expect![[r#"
            palisade.toml:6:37: `limit`: "10/min" is not a rate
            6 |   rate = [{ per = "source", limit = "10/min" }]
              |                                     ^^^^^^^^
            help: write "10/m""#]],
    );
}

#[test]
fn rate_of_nothing() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ per = "source", limit = "0/m" }]
"#,
        expect![[r#"
            palisade.toml:6:37: `limit`: "0/m" is not a rate
            6 |   rate = [{ per = "source", limit = "0/m" }]
              |                                     ^^^^^
            help: a limit of nothing refuses everybody; use `palisade block` for that"#]],
    );
}

#[test]
fn rate_twice() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ per = "source", limit = "10/m" }, { per = "source", limit = "5/m" }]
"#,
        expect![[r#"
            palisade.toml:6:47: two limits per source and the same time
            6 |   rate = [{ per = "source", limit = "10/m" }, { per = "source", limit = "5/m" }]
              |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            help: leave one out: the smaller one is what counts"#]],
    );
}

#[test]
fn rate_with_a_negative_burst() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  rate = [{ per = "source", limit = "10/m", burst = -1 }]
"#,
        expect![[r#"
            palisade.toml:6:53: `burst`: -1 is out of bounds
            6 |   rate = [{ per = "source", limit = "10/m", burst = -1 }]
              |                                                     ^^
            help: write a whole number from 1 to 1000000"#]],
    );
}

#[test]
fn on_error_misspelt() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  on_error = "close"
"#,
        expect![[r#"
            palisade.toml:6:14: `on_error`: unknown value "close"
            6 |   on_error = "close"
              |              ^^^^^^^
            help: did you mean "closed"?"#]],
    );
}

#[test]
fn route_layer_misspelt() {
    check_site(
        r#"  [[site.route]]
  match = "POST /v1/login"
  protect = { takover = "enforce" }
"#,
        expect![[r#"
            palisade.toml:6:15: unknown layer `takover` in `protect` of a route
            6 |   protect = { takover …
              |               ^^^^^^^
            help: did you mean `takeover`?"#]],
    );
}

#[test]
fn decoy_misspelt() {
    check_site(
        r#"  [[site.route]]
  match = "/archive-2019/*"
  decoys = true
"#,
        expect![[r#"
            palisade.toml:6:3: unknown key `decoys` in [[site.route]]
            6 |   decoys …
              |   ^^^^^^
            help: did you mean `decoy`?"#]],
    );
}

#[test]
fn decoy_of_another_type() {
    check_site(
        r#"  [[site.route]]
  match = "/archive-2019/*"
  decoy = "yes"
"#,
        expect![[r#"
            palisade.toml:6:11: `decoy` is a string, not true or false
            6 |   decoy = "yes"
              |           ^^^^^
            help: write true or false, without quotes"#]],
    );
}

#[test]
fn rate_of_whom_misspelt() {
    check_site(
        r#"  [[site.route]]
  match = "/*"
  rate = { per = "source", limit = "10/m", of = "declared-bots" }
"#,
        expect![[r#"
            palisade.toml:6:49: `of`: unknown value "declared-bots"
            6 |   rate = { per = "source", limit = "10/m", of = "declared-bots" }
              |                                                 ^^^^^^^^^^^^^^^
            help: did you mean "declared-bot"?"#]],
    );
}
