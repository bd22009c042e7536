-- Programs that may ask for tokens, and the keys that sign them.

CREATE TABLE clients (
    -- Public. It begins with "client-", as no user's id does.
    id                         TEXT   NOT NULL PRIMARY KEY,
    -- What people read when they are asked for consent.
    name                       TEXT   NOT NULL,
    -- Lists are separated by spaces; none of what they hold has one.
    redirect_uris              TEXT   NOT NULL,
    post_logout_redirect_uris  TEXT   NOT NULL,
    backchannel_logout_uri     TEXT,
    scopes                     TEXT   NOT NULL,
    -- authorization_code, refresh_token, client_credentials
    grant_types                TEXT   NOT NULL,
    -- What its access tokens are for; empty: Cloakroom itself.
    audience                   TEXT   NOT NULL,
    -- What signs its tokens: ES256, RS256, EdDSA.
    algorithm                  TEXT   NOT NULL,
    -- none, client_secret, private_key_jwt
    authentication             TEXT   NOT NULL,
    -- SHA-256 of its secret, where it has one.
    hashed_secret              TEXT,
    -- Its public keys (RFC 7517), where it has some.
    jwks                       TEXT,
    -- Nobody is asked for consent.
    is_trusted                 BIGINT NOT NULL,
    created_at                 BIGINT NOT NULL,
    disabled_at                BIGINT
);

CREATE TABLE signing_keys (
    -- The kid of the tokens that it signs.
    id         TEXT   NOT NULL PRIMARY KEY,
    -- ES256, RS256, EdDSA
    algorithm  TEXT   NOT NULL,
    -- PKCS #8, closed with a key that the database does not have; empty once it has retired.
    sealed     TEXT   NOT NULL,
    -- Published from here on,
    created_at BIGINT NOT NULL,
    -- signs from here on, until a newer one does,
    signs_from BIGINT NOT NULL,
    -- and verifies until here; null while there is no newer one.
    retires_at BIGINT
);

-- Assertions by which clients have proved themselves (RFC 7523), so that none is taken twice.
CREATE TABLE used_assertions (
    -- SHA-256 of the client's id and the assertion's jti.
    id      TEXT   NOT NULL PRIMARY KEY,
    -- When it could not be used any more.
    ends_at BIGINT NOT NULL
);

CREATE INDEX used_assertions_by_end ON used_assertions (ends_at);

-- Access tokens that were revoked before their time (RFC 7009), until it comes.
CREATE TABLE revoked_tokens (
    jti     TEXT   NOT NULL PRIMARY KEY,
    ends_at BIGINT NOT NULL
);

CREATE INDEX revoked_tokens_by_end ON revoked_tokens (ends_at);
