//! What each clue is worth for each role, in nats.

use traffic::Role;

use super::clue::{Clue, Clues};
use super::{ASSIGNED_FROM, RoleEvidence};

/// The role that the clues speak for most, and how strongly. Below [`ASSIGNED_FROM`] it is none.
pub(super) fn best(clues: Clues) -> (Role, f32) {
    let mut sums = [0_i16; Role::ALL.len()];
    for number in clues.numbers() {
        let Some(row) = TENTHS.get(usize::from(number)) else { continue };
        for (sum, tenths) in sums.iter_mut().zip(row) {
            *sum += tenths;
        }
    }
    let mut best = (Role::Other, 0_i16);
    for (role, sum) in Role::ALL.into_iter().zip(sums) {
        // Of two equally likely roles, protection depends on the one where secrets are tried.
        let is_more =
            sum > best.1 || (sum == best.1 && role.is_sensitive() && !best.0.is_sensitive());
        if f32::from(sum) >= ASSIGNED_FROM * 10.0 && is_more {
            best = (role, sum);
        }
    }
    (best.0, f32::from(best.1) / 10.0)
}

/// The weights by clue and role, in tenths of a nat: a request has few clues, and this is quicker
/// than to look through all weights for them.
static TENTHS: [[i16; Role::ALL.len()]; 64] = {
    let mut table = [[0; Role::ALL.len()]; 64];
    let mut at = 0;
    while at < WEIGHTS.len() {
        let (clue, role, nats) = WEIGHTS[at];
        table[clue as usize][role as usize] += (nats * 10.0) as i16;
        at += 1;
    }
    table
};

/// The clues at hand that count for `role`.
pub(super) fn evidence(clues: Clues, role: Role) -> Vec<RoleEvidence> {
    WEIGHTS
        .iter()
        .filter(|(clue, of, _)| *of == role && clues.has(*clue))
        .map(|(clue, _, nats)| RoleEvidence { clue: clue.words(), nats: *nats })
        .collect()
}

/// Sums of five and more assign a role. What only a path says is kept below that for the roles at
/// which secrets are tried, save for the one word that means nothing else.
#[rustfmt::skip]
const WEIGHTS: &[(Clue, Role, f32)] = &[
    (Clue::Posts, Role::Login, 1.0),
    (Clue::Reads, Role::Login, -2.0),
    (Clue::Removes, Role::Login, -6.0),
    (Clue::PathLogin, Role::Login, 4.0),
    (Clue::PathAuth, Role::Login, 2.5),
    (Clue::Password, Role::Login, 3.0),
    (Clue::Identifier, Role::Login, 1.5),
    (Clue::OnlyIdentifier, Role::Login, -1.5),
    (Clue::CodeField, Role::Login, -1.5),
    (Clue::PathWebhook, Role::Login, -4.0),
    (Clue::GrantPassword, Role::Login, 5.0),
    (Clue::ClientSecret, Role::Login, 3.0),
    (Clue::Profile, Role::Login, -2.0),
    (Clue::PasswordAgain, Role::Login, -2.0),
    (Clue::NewPassword, Role::Login, -4.0),
    (Clue::RefreshToken, Role::Login, -5.0),
    (Clue::PathRefresh, Role::Login, -3.0),
    (Clue::PathSignup, Role::Login, -3.0),
    (Clue::PathAccounts, Role::Login, -1.0),
    (Clue::PathReset, Role::Login, -2.0),
    (Clue::PathOtp, Role::Login, -2.0),
    (Clue::PathLogout, Role::Login, -6.0),
    (Clue::PathCheckout, Role::Login, -3.0),
    (Clue::IssuesCredentials, Role::Login, 3.0),
    (Clue::Refuses, Role::Login, 1.0),

    (Clue::RefreshToken, Role::Refresh, 4.0),
    (Clue::PathRefresh, Role::Refresh, 4.5),
    (Clue::Posts, Role::Refresh, 1.0),
    (Clue::Reads, Role::Refresh, -2.0),

    (Clue::PathLogout, Role::Logout, 5.0),
    (Clue::PathSession, Role::Logout, 2.0),
    (Clue::Removes, Role::Logout, 3.0),
    (Clue::EndsInValue, Role::Logout, -1.0),

    (Clue::Posts, Role::Signup, 1.0),
    (Clue::Reads, Role::Signup, -3.0),
    (Clue::Password, Role::Signup, 2.0),
    (Clue::Profile, Role::Signup, 1.5),
    (Clue::PasswordAgain, Role::Signup, 2.0),
    (Clue::PathSignup, Role::Signup, 4.0),
    (Clue::PathAccounts, Role::Signup, 2.0),
    (Clue::OldPassword, Role::Signup, -4.0),
    (Clue::ResetToken, Role::Signup, -3.0),
    (Clue::NewPassword, Role::Signup, -3.0),
    (Clue::EndsInValue, Role::Signup, -3.0),

    (Clue::PathReset, Role::ResetRequest, 3.0),
    (Clue::OnlyIdentifier, Role::ResetRequest, 2.0),
    (Clue::Posts, Role::ResetRequest, 1.0),
    (Clue::Reads, Role::ResetRequest, -2.0),
    (Clue::NewPassword, Role::ResetRequest, -3.0),
    (Clue::Password, Role::ResetRequest, -3.0),

    (Clue::ResetToken, Role::ResetConfirm, 2.5),
    (Clue::NewPassword, Role::ResetConfirm, 2.0),
    (Clue::Password, Role::ResetConfirm, 2.0),
    (Clue::PathReset, Role::ResetConfirm, 2.0),
    (Clue::CodeField, Role::ResetConfirm, 1.5),
    (Clue::Posts, Role::ResetConfirm, 0.5),
    (Clue::Reads, Role::ResetConfirm, -2.0),
    (Clue::OldPassword, Role::ResetConfirm, -4.0),
    (Clue::PathLogin, Role::ResetConfirm, -4.0),
    (Clue::PathAuth, Role::ResetConfirm, -1.0),
    (Clue::PathSignup, Role::ResetConfirm, -4.0),
    (Clue::Profile, Role::ResetConfirm, -2.0),

    (Clue::PathOtp, Role::OtpSend, 2.5),
    (Clue::PathSend, Role::OtpSend, 3.0),
    (Clue::OnlyIdentifier, Role::OtpSend, 2.0),
    (Clue::Posts, Role::OtpSend, 0.5),
    (Clue::CodeField, Role::OtpSend, -4.0),
    (Clue::Reads, Role::OtpSend, -2.0),

    (Clue::PathOtp, Role::OtpVerify, 2.5),
    (Clue::PathVerify, Role::OtpVerify, 2.0),
    (Clue::CodeField, Role::OtpVerify, 3.5),
    (Clue::Posts, Role::OtpVerify, 0.5),
    (Clue::Reads, Role::OtpVerify, -1.0),
    (Clue::Password, Role::OtpVerify, -1.5),
    (Clue::PathRedeem, Role::OtpVerify, -4.0),
    (Clue::Money, Role::OtpVerify, -3.0),

    (Clue::OldPassword, Role::PasswordChange, 4.0),
    (Clue::NewPassword, Role::PasswordChange, 2.0),
    (Clue::PathPassword, Role::PasswordChange, 2.0),
    (Clue::PathPasswordChange, Role::PasswordChange, 2.0),
    (Clue::ResetToken, Role::PasswordChange, -3.0),

    (Clue::PathCheckout, Role::Checkout, 4.0),
    (Clue::PathOrder, Role::Checkout, 2.5),
    (Clue::Posts, Role::Checkout, 1.0),
    (Clue::Reads, Role::Checkout, -4.0),
    (Clue::Money, Role::Checkout, 2.5),
    (Clue::CartId, Role::Checkout, 2.0),
    (Clue::Password, Role::Checkout, -2.0),

    (Clue::PathRedeem, Role::Redeem, 4.0),
    (Clue::CodeField, Role::Redeem, 1.0),
    (Clue::Coupon, Role::Redeem, 2.0),
    (Clue::Posts, Role::Redeem, 1.0),
    (Clue::Reads, Role::Redeem, -2.0),

    (Clue::PathAdmin, Role::Admin, 6.0),

    (Clue::PathSearch, Role::Search, 4.5),
    (Clue::SearchField, Role::Search, 2.5),
    (Clue::Reads, Role::Search, 1.5),
    (Clue::PageField, Role::Search, 1.5),

    (Clue::PathExport, Role::Export, 4.5),
    (Clue::Reads, Role::Export, 1.0),

    (Clue::PathUpload, Role::Upload, 4.5),
    (Clue::Posts, Role::Upload, 1.0),
    (Clue::Reads, Role::Upload, -3.0),

    (Clue::PathWebhook, Role::Webhook, 4.5),
    (Clue::Posts, Role::Webhook, 1.0),

    (Clue::PathGraphql, Role::Graphql, 5.5),
    (Clue::GraphqlQuery, Role::Graphql, 3.0),

    (Clue::PathHealth, Role::Health, 4.5),
    (Clue::Reads, Role::Health, 1.0),
    (Clue::EndsInValue, Role::Health, -3.0),

    (Clue::PathAsset, Role::Static, 5.5),

    (Clue::EndsInValue, Role::ObjectRead, 3.0),
    (Clue::Reads, Role::ObjectRead, 2.0),
    (Clue::PathSearch, Role::ObjectRead, -1.0),

    (Clue::Posts, Role::ObjectWrite, 5.0),
    (Clue::Writes, Role::ObjectWrite, 5.0),
    (Clue::Removes, Role::ObjectWrite, 5.0),
];
