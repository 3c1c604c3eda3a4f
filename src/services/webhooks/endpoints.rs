//! Endpoints: the URLs to which an account's events are sent.

use super::Webhooks;
use crate::model::ids::{AccountId, WebhookId};
use crate::model::job::JobKind;
use crate::model::listing::{Page, Span};
use crate::model::vendor::Vendor;
use crate::model::webhook::{Delivery, Endpoint};
use crate::platform::outbound;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

/// Longest name of an endpoint.
pub const NAME_CHARS_MAX: usize = 100;

/// Parameters of a new or changed endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointParams {
    pub name: Option<String>,
    pub url: String,
    /// `None` keeps the value when an endpoint is updated, and is `false` otherwise.
    pub test: Option<bool>,
}

impl EndpointParams {
    /// Validates name and URL.
    ///
    /// # Errors
    /// Returns the invalid field and a message: the name is too long, or the URL cannot be called.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let chars = self.name.as_deref().map_or(0, |name| name.chars().count());
        if chars > NAME_CHARS_MAX {
            let message = format!("too long: {chars} characters, maximum {NAME_CHARS_MAX}");
            return Err(("name", message));
        }
        outbound::check_url(&self.url).map_err(|message| ("url", message))
    }

    /// Restricts the parameters to the endpoints that the API key may have: a test key has only test
    /// endpoints.
    ///
    /// # Errors
    /// Returns a message if a test key requests a live endpoint.
    pub fn restrict_to_key(self, is_test_key: bool) -> Result<Self, &'static str> {
        match (is_test_key, self.test) {
            (true, Some(false)) => Err("test keys can only have test webhooks"),
            (true, _) => Ok(Self {
                test: Some(true),
                ..self
            }),
            (false, _) => Ok(self),
        }
    }
}

impl Webhooks {
    /// Returns the reason why no request is ever sent to `url`: it is neither a loopback nor a
    /// private address. `None` if the URL can be called.
    pub async fn refusal(&self, url: &str) -> Option<String> {
        self.outbound.refusal(url).await
    }

    /// Creates an endpoint with a generated secret.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn register(
        &self,
        account: &Account,
        vendor: Vendor,
        params: EndpointParams,
    ) -> Result<Endpoint, InternalError> {
        self.create_or_replace(account, vendor, params, false, None)
            .await
    }

    /// Creates an endpoint with the given secret.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn register_with(
        &self,
        account: &Account,
        vendor: Vendor,
        params: EndpointParams,
        secret: String,
    ) -> Result<Endpoint, InternalError> {
        self.create_or_replace(account, vendor, params, false, Some(secret))
            .await
    }

    /// Creates or changes the endpoint of the legacy route, of which an account has at most one. An
    /// existing endpoint keeps its id, its secret and its deliveries.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn set_legacy(
        &self,
        account: &Account,
        vendor: Vendor,
        params: EndpointParams,
    ) -> Result<Endpoint, InternalError> {
        self.create_or_replace(account, vendor, params, true, None)
            .await
    }

    async fn create_or_replace(
        &self,
        account: &Account,
        vendor: Vendor,
        params: EndpointParams,
        legacy: bool,
        secret: Option<String>,
    ) -> Result<Endpoint, InternalError> {
        let mut tx = self.db.begin().await?;
        if legacy
            && let Some(mut endpoint) = db::endpoints::legacy(&mut tx, account.id, vendor).await?
        {
            endpoint.url = params.url;
            endpoint.test = params.test.unwrap_or_default();
            endpoint.updated_at = account.now();
            db::endpoints::update(&mut tx, &endpoint).await?;
            tx.commit().await?;
            return Ok(endpoint);
        }
        let mut endpoint = self.new_endpoint(account, vendor, params, legacy);
        if let Some(secret) = secret {
            endpoint.secret = secret;
        }
        endpoint.id = db::endpoints::insert(&mut tx, &endpoint).await?;
        tx.commit().await?;
        Ok(endpoint)
    }

    /// Returns a new endpoint. Its id is assigned by the database.
    fn new_endpoint(
        &self,
        account: &Account,
        vendor: Vendor,
        params: EndpointParams,
        legacy: bool,
    ) -> Endpoint {
        let now = account.now();
        let snowflake = account.next_snowflake(now);
        let mut secret = [0_u8; 24];
        self.entropy
            .rng(&account.key, "webhook secret", snowflake)
            .fill(&mut secret);
        Endpoint {
            id: WebhookId(0),
            account: account.id,
            vendor,
            snowflake,
            name: params.name,
            url: params.url,
            secret: format!("whsec_{}", hex::encode(secret)),
            test: params.test.unwrap_or_default(),
            active: true,
            legacy,
            last_sent_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Returns the account's endpoint `id`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn endpoint(
        &self,
        account: &Account,
        vendor: Vendor,
        id: WebhookId,
    ) -> Result<Option<Endpoint>, InternalError> {
        db::endpoints::find(&mut self.db.read().await?, account.id, Some(vendor), id).await
    }

    /// Returns the account's endpoint of the legacy route.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn legacy(
        &self,
        account: &Account,
        vendor: Vendor,
    ) -> Result<Option<Endpoint>, InternalError> {
        db::endpoints::legacy(&mut self.db.read().await?, account.id, vendor).await
    }

    /// Returns a page of the account's endpoints whose name or URL contains `keyword`, newest
    /// first.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn endpoints(
        &self,
        account: &Account,
        vendor: Vendor,
        keyword: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Endpoint>, InternalError> {
        db::endpoints::page(
            &mut self.db.read().await?,
            account.id,
            vendor,
            keyword,
            limit,
            offset,
        )
        .await
    }

    /// Changes an endpoint. A name of `None` keeps the current name. Returns `None` if the account
    /// has no endpoint `id`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn update(
        &self,
        account: &Account,
        vendor: Vendor,
        id: WebhookId,
        params: EndpointParams,
    ) -> Result<Option<Endpoint>, InternalError> {
        let mut tx = self.db.begin().await?;
        let Some(mut endpoint) = db::endpoints::find(&mut tx, account.id, Some(vendor), id).await?
        else {
            return Ok(None);
        };
        endpoint.name = params.name.or(endpoint.name);
        endpoint.url = params.url;
        endpoint.test = params.test.unwrap_or(endpoint.test);
        endpoint.updated_at = account.now();
        db::endpoints::update(&mut tx, &endpoint).await?;
        tx.commit().await?;
        Ok(Some(endpoint))
    }

    /// Deletes an endpoint with its pending deliveries. Returns `false` if the account has no
    /// endpoint `id`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn unregister(
        &self,
        account: &Account,
        vendor: Vendor,
        id: WebhookId,
    ) -> Result<bool, InternalError> {
        let mut tx = self.db.begin().await?;
        let existed = db::endpoints::delete(&mut tx, account.id, vendor, id).await?;
        if existed {
            db::jobs::remove(&mut tx, JobKind::Deliver, &id.to_string()).await?;
        }
        tx.commit().await?;
        Ok(existed)
    }

    /// Returns the span of the newest `limit` endpoints with an id below `before`. `account` restricts
    /// the endpoints to an account. `None` if there are no such endpoints.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn endpoints_span(
        &self,
        account: Option<AccountId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Option<Span>, InternalError> {
        let mut reader = self.db.read().await?;
        db::endpoints::span(&mut reader, account, before, limit).await
    }

    /// Returns the endpoints with ids from `first` to `last`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn endpoints_in_span(
        &self,
        account: Option<AccountId>,
        (first, last): (i64, i64),
        limit: u32,
    ) -> Result<Vec<(i64, Endpoint)>, InternalError> {
        let mut reader = self.db.read().await?;
        db::endpoints::in_span(&mut reader, account, (first, last), limit).await
    }

    /// Returns a page of the endpoint's deliveries, newest first.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn deliveries(
        &self,
        endpoint: &Endpoint,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Delivery>, InternalError> {
        db::webhooks::deliveries(&mut self.db.read().await?, endpoint.id, limit, offset).await
    }
}
