//! OpenAPI descriptions of the webhook routes.

use serde_json::json;

use super::{EVENTS_LIMIT_DEFAULT, WEBHOOKS_LIMIT_DEFAULT};
use crate::api::bizmori::error::ErrorCode;
use crate::api::bizmori::openapi::{describe_data, with_key_errors, with_unprocessable};
use crate::api::bizmori::request::{Paging, RetryFailed, WebhookBody};
use crate::api::bizmori::v2::wire::webhooks::{
    EventPage, EventRetried, FailedRetried, WebhookCreated, WebhookDetail, WebhookPage,
    WebhookUpdated,
};
use crate::http::openapi::OperationDoc;

const WEBHOOK_NOT_FOUND: &[ErrorCode] = &[ErrorCode::WebhookNotFound];

/// Describes `X-Mock-Reason` of a created or updated webhook.
pub fn describe_refusal_header(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let text = "Reason why the server will send nothing to this URL.";
    doc.with_header(
        200,
        "X-Mock-Reason",
        false,
        text,
        &json!({"type": "string"}),
    )
}

fn with_id(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    doc.describe_param("webhookId", "Id of a webhook.")
}

fn with_paging(doc: OperationDoc<'_>, limit_default: u32) -> OperationDoc<'_> {
    doc.query_params(Paging::params(limit_default))
        .describe_param("page", "Page, from 1.")
        .describe_param("limit", "Items on a page.")
}

pub fn create(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Create a webhook",
            "The account's events are sent to its URL.",
        )
        .json_body::<WebhookBody>(true);
    let doc = describe_data::<WebhookCreated>(doc, "The webhook.");
    with_key_errors(describe_refusal_header(doc), &[])
}

pub fn list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc.summary("List webhooks", "Lists the webhooks of the account.");
    let doc = with_paging(doc, WEBHOOKS_LIMIT_DEFAULT)
        .query_params(vec![Paging::keyword_param()])
        .describe_param("keyword", "Part of the name or the URL.");
    let doc = describe_data::<WebhookPage>(doc, "Page of webhooks.");
    with_key_errors(doc, &[ErrorCode::InvalidParameter])
}

pub fn get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = with_id(doc.summary("Get a webhook", "Returns a webhook with its secret."));
    with_key_errors(
        describe_data::<WebhookDetail>(doc, "The webhook."),
        WEBHOOK_NOT_FOUND,
    )
}

pub fn update(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = with_id(doc.summary(
        "Update a webhook",
        "Sets name, URL and `isTest` of a webhook.",
    ))
    .json_body::<WebhookBody>(true);
    let doc = describe_data::<WebhookUpdated>(doc, "The webhook.");
    with_key_errors(describe_refusal_header(doc), WEBHOOK_NOT_FOUND)
}

pub fn delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = with_id(doc.summary("Delete a webhook", "Deletes a webhook and its events."));
    with_key_errors(describe_data::<()>(doc, "Deleted."), WEBHOOK_NOT_FOUND)
}

pub fn list_events(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = with_id(doc.summary(
        "List events",
        "Lists the events of a webhook, newest first.",
    ));
    let doc = with_paging(doc, EVENTS_LIMIT_DEFAULT);
    let doc = describe_data::<EventPage>(doc, "Page of events.");
    with_key_errors(
        doc,
        &[ErrorCode::InvalidParameter, ErrorCode::WebhookNotFound],
    )
}

pub fn retry_event(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = with_id(doc.summary("Retry an event", "Sends a failed event once more, at once."))
        .describe_param("eventRowId", "The `id` of an event in the list of events.");
    let doc = describe_data::<EventRetried>(doc, "Result of the attempt.");
    let codes = [ErrorCode::WebhookEventNotFound, ErrorCode::WebhookNotFound];
    with_unprocessable(with_key_errors(doc, &codes))
}

pub fn retry_failed_events(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Retry failed events",
            "Sends the failed events of a span of time once more, at most 50.",
        )
        .json_body::<RetryFailed>(true);
    let doc = describe_data::<FailedRetried>(with_id(doc), "Counts of events.");
    with_unprocessable(with_key_errors(doc, WEBHOOK_NOT_FOUND))
}
