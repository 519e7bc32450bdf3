//! Which role a single request suggests.

use traffic::{HashKey, Hasher, Location};

use super::*;

fn role(method: &Method, target: &str, body: &str) -> Role {
    let hasher = Hasher::new(HashKey::new([2; 16]));
    let (path, query) = traffic::path::split_target(target.as_bytes());
    let mut fields = Fields::default();
    if let Some(query) = query {
        fields.read_pairs(query, Location::Query);
    }
    let is_json = body.starts_with('{');
    let media = if is_json { traffic::media::Media::Json } else { traffic::media::Media::Form };
    traffic::body::read(body.as_bytes(), media, true, &mut fields);
    role_hint(method, &Path::parse(path, &hasher), &fields).role()
}

fn check(expected: Role, method: &Method, cases: &[(&str, &str)]) {
    for (target, body) in cases {
        assert_eq!(role(method, target, body), expected, "{method} {target} {body}");
    }
}

#[test]
fn where_secrets_are_tried() {
    let post = &Method::POST;
    check(
        Role::Login,
        post,
        &[
            ("/login", ""),
            ("/api/v1/login", r#"{"email":"a","password":"b"}"#),
            ("/users/sign_in", "user[email]=a&user[password]=b"),
            ("/auth", r#"{"username":"a","password":"b"}"#),
            ("/api/session", r#"{"user":{"email":"a","password":"b"}}"#),
            ("/oauth/token", "grant_type=password&username=a&password=b"),
            ("/oauth/token", "grant_type=client_credentials&client_id=a&client_secret=b"),
            ("/xyz", r#"{"login":"a","pwd":"b"}"#),
            ("/admin/login", "email=a&password=b"),
            ("/authenticateUser", r#"{"phone":"a","pin":"b"}"#),
            ("/rpc", r#"{"method":"session.signIn","params":{"email":"a","password":"b"}}"#),
        ],
    );
    check(Role::Login, &Method::GET, &[("/login?user=a&password=b", "")]);
    check(
        Role::OtpVerify,
        post,
        &[
            ("/auth/otp/verify", r#"{"code":"123456"}"#),
            ("/2fa", r#"{"otp":"123456"}"#),
            ("/auth/v3/check-otp", r#"{"email":"a","otp":"1","password":"b"}"#),
            ("/verify", r#"{"phone":"1","code":1234}"#),
            ("/api/mfa/challenge", r#"{"mfa_code":"1"}"#),
        ],
    );
    check(
        Role::ResetConfirm,
        post,
        &[
            ("/reset-password", r#"{"token":"a","password":"b"}"#),
            ("/password/reset/confirm", r#"{"reset_token":"a","new_password":"b"}"#),
            (
                "/users/password",
                r#"{"reset_password_token":"a","password":"b","password_confirmation":"b"}"#,
            ),
        ],
    );
    check(
        Role::PasswordChange,
        &Method::PUT,
        &[("/me/password", r#"{"current_password":"a","new_password":"b"}"#)],
    );
    check(
        Role::PasswordChange,
        post,
        &[("/change-password", r#"{"old_password":"a","password":"b"}"#)],
    );
    check(
        Role::Redeem,
        post,
        &[
            ("/cart/coupon", r#"{"code":"SUMMER"}"#),
            ("/vouchers/redeem", r#"{"voucher_code":"X"}"#),
        ],
    );
}

#[test]
fn what_surrounds_accounts_and_money() {
    let post = &Method::POST;
    check(
        Role::Signup,
        post,
        &[
            ("/register", r#"{"email":"a","password":"b"}"#),
            ("/users", r#"{"email":"a","password":"b","name":"c"}"#),
            ("/accounts", "email=a&password=b"),
            ("/signup", r#"{"email":"a","password":"b","password_confirmation":"b","terms":true}"#),
        ],
    );
    check(
        Role::ResetRequest,
        post,
        &[
            ("/password/forgot", r#"{"email":"a"}"#),
            ("/identity/api/auth/forget-password", r#"{"email":"a"}"#),
            ("/forgotPassword", "email=a"),
        ],
    );
    check(
        Role::OtpSend,
        post,
        &[("/otp/send", r#"{"phone":"1"}"#), ("/auth/send-code", r#"{"email":"a"}"#)],
    );
    check(
        Role::Refresh,
        post,
        &[
            ("/auth/refresh", r#"{"refresh_token":"a"}"#),
            ("/oauth/token", "grant_type=refresh_token&refresh_token=a"),
        ],
    );
    check(Role::Logout, post, &[("/logout", ""), ("/users/sign_out", "")]);
    check(Role::Logout, &Method::DELETE, &[("/session", "")]);
    check(
        Role::Checkout,
        post,
        &[
            ("/checkout", ""),
            ("/orders", r#"{"items":[1],"payment_method":"card"}"#),
            ("/payments", r#"{"amount":1,"currency":"EUR"}"#),
        ],
    );
}

#[test]
fn the_rest_of_an_api() {
    let get = &Method::GET;
    check(Role::ObjectRead, get, &[("/orders/17", ""), ("/users/17", "")]);
    check(Role::ObjectWrite, &Method::DELETE, &[("/orders/17", ""), ("/sessions/17", "")]);
    check(Role::ObjectWrite, &Method::POST, &[("/notes", r#"{"text":"x"}"#)]);
    check(Role::Search, get, &[("/search?q=x", ""), ("/products?search=x&page=2", "")]);
    check(Role::Static, get, &[("/static/app.js", ""), ("/logo.png", "")]);
    check(Role::Health, get, &[("/health", ""), ("/api/ping", "")]);
    check(Role::Graphql, &Method::POST, &[("/graphql", r#"{"query":"{ me { id } }"}"#)]);
    check(Role::Admin, get, &[("/admin/users", "")]);
    check(Role::Upload, &Method::POST, &[("/files/upload", "")]);
    check(Role::Export, get, &[("/reports/export", "")]);
    check(Role::Webhook, &Method::POST, &[("/webhooks/stripe", "{}")]);
    check(
        Role::Other,
        get,
        &[("/profile", ""), ("/login", ""), ("/", ""), ("/reset-password", "")],
    );
}

#[test]
fn look_alikes_are_not_sensitive() {
    for (target, body) in [
        ("/orders/17/confirm", "{}"),
        ("/notes", r#"{"title":"my password","text":"login"}"#),
        ("/tokens/17/transfer", r#"{"to":"x"}"#),
        ("/authors", r#"{"name":"x"}"#),
        ("/postal", r#"{"code":"12345"}"#),
        ("/devices", r#"{"name":"x","token":"push"}"#),
        ("/profile", r#"{"name":"x","email":"y"}"#),
        ("/blogin", r#"{"x":1}"#),
        ("/merchants/7/webhooks", r#"{"url":"x","username":"a","password":"b"}"#),
        ("/chat/sessions", r#"{"user":"a"}"#),
    ] {
        let found = role(&Method::POST, target, body);
        assert!(!found.tries_a_secret(), "{target} {body}: {found}");
    }
}

#[test]
fn recordings_without_secrets_give_the_same_hint() {
    let raw = role(&Method::POST, "/2fa/verify", r#"{"otp":"123456","email":"a@example.com"}"#);
    let redacted = role(
        &Method::POST,
        "/2fa/verify",
        r#"{"otp":"~integer:00112233445566aa:6","email":"a@example.com"}"#,
    );
    assert_eq!(raw, redacted);
}
