// Web sites that sign people in with libraries of npm, unchanged: `node node_sites.mjs < settings.json`.
// As python_sites.py: each site answers at `/` with what it knows of the user, or begins to sign them in.

import {randomUUID} from "node:crypto";
import {createServer} from "node:http";
import {text} from "node:stream/consumers";

const SCOPE = "openid profile email";

/** The part of a sign-in that waits for the browser, by `state`. */
const waiting = new Map();

function redirect(response, location) {
    response.writeHead(303, {Location: String(location)}).end();
}

function show(response, user) {
    response.writeHead(200, {"Content-Type": "application/json"}).end(JSON.stringify(user));
}

async function makeOpenidClient(site, issuer) {
    const client = await import("openid-client");
    const config = await client.discovery(new URL(issuer), site.client_id, site.client_secret);
    // Verifies the signature of ID tokens.
    client.enableNonRepudiationChecks(config);
    return async (request, response) => {
        const url = new URL(request.url, site.url);
        if (url.pathname !== "/callback") {
            const verifier = client.randomPKCECodeVerifier();
            const state = client.randomState();
            const nonce = client.randomNonce();
            waiting.set(state, {verifier, nonce});
            return redirect(
                response,
                client.buildAuthorizationUrl(config, {
                    redirect_uri: `${site.url}/callback`,
                    scope: SCOPE,
                    state,
                    nonce,
                    code_challenge: await client.calculatePKCECodeChallenge(verifier),
                    code_challenge_method: "S256",
                })
            );
        }
        const state = url.searchParams.get("state");
        const {verifier, nonce} = waiting.get(state);
        const tokens = await client.authorizationCodeGrant(config, url, {
            pkceCodeVerifier: verifier,
            expectedState: state,
            expectedNonce: nonce,
            idTokenExpected: true,
        });
        const {sub} = tokens.claims();
        return show(response, await client.fetchUserInfo(config, tokens.access_token, sub));
    };
}

async function makeOauth4webapi(site, issuer) {
    const oauth = await import("oauth4webapi");
    const server = await oauth
        .discoveryRequest(new URL(issuer))
        .then((answer) => oauth.processDiscoveryResponse(new URL(issuer), answer));
    const client = {client_id: site.client_id};
    const authentication = oauth.ClientSecretBasic(site.client_secret);
    const redirectUri = `${site.url}/callback`;
    return async (request, response) => {
        const url = new URL(request.url, site.url);
        if (url.pathname !== "/callback") {
            const verifier = oauth.generateRandomCodeVerifier();
            const state = oauth.generateRandomState();
            const nonce = oauth.generateRandomNonce();
            waiting.set(state, {verifier, nonce});
            const target = new URL(server.authorization_endpoint);
            const parameters = {
                response_type: "code",
                client_id: site.client_id,
                redirect_uri: redirectUri,
                scope: SCOPE,
                state,
                nonce,
                code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
                code_challenge_method: "S256",
            };
            Object.entries(parameters).forEach(([name, value]) => target.searchParams.set(name, value));
            return redirect(response, target);
        }
        const state = url.searchParams.get("state");
        const {verifier, nonce} = waiting.get(state);
        const answer = oauth.validateAuthResponse(server, client, url, state);
        const granted = await oauth.authorizationCodeGrantRequest(
            server, client, authentication, answer, redirectUri, verifier
        );
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, granted, {
            expectedNonce: nonce,
            requireIdToken: true,
        });
        await oauth.validateApplicationLevelSignature(server, granted);
        const {sub} = oauth.getValidatedIdTokenClaims(tokens);
        const found = await oauth.userInfoRequest(server, client, tokens.access_token);
        return show(response, await oauth.processUserInfoResponse(server, client, sub, found));
    };
}

async function makeAuthJs(site, issuer) {
    const {Auth} = await import("@auth/core");
    const config = {
        secret: randomUUID(),
        trustHost: true,
        basePath: "/auth",
        providers: [
            {
                id: "odoo",
                name: "Odoo",
                type: "oidc",
                issuer,
                clientId: site.client_id,
                clientSecret: site.client_secret,
                authorization: {params: {scope: SCOPE}},
                checks: ["pkce", "state", "nonce"],
                // Otherwise it takes the user from the ID token, which has neither name nor address.
                idToken: false,
                profile: (user) => ({id: user.sub, name: user.name, email: user.email}),
            },
        ],
        callbacks: {
            jwt: ({token, profile}) => (profile ? {...token, sub: profile.sub} : token),
            session: ({session, token}) => ({...session.user, sub: token.sub}),
        },
    };
    const send = async (response, answer) => {
        const headers = {"Set-Cookie": answer.headers.getSetCookie()};
        for (const [name, value] of answer.headers) {
            if (name !== "set-cookie") {
                headers[name] = value;
            }
        }
        response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
    };
    const call = (path, request, options = {}) =>
        Auth(
            new Request(site.url + path, {
                ...options,
                headers: {cookie: request.headers.cookie ?? "", ...options.headers},
            }),
            config
        );
    return async (request, response) => {
        if (request.url === "/me") {
            return send(response, await call("/auth/session", request));
        }
        if (request.url !== "/") {
            return send(response, await call(request.url, request));
        }
        // What the button of its page does.
        const token = await call("/auth/csrf", request);
        const {csrfToken} = await token.json();
        const cookie = token.headers.getSetCookie().map((each) => each.split(";")[0]).join("; ");
        const answer = await call("/auth/signin/odoo", request, {
            method: "POST",
            headers: {cookie, "Content-Type": "application/x-www-form-urlencoded"},
            body: new URLSearchParams({csrfToken, callbackUrl: `${site.url}/me`}),
        });
        return send(response, answer);
    };
}

async function makePassport(site, issuer) {
    const {default: express} = await import("express");
    const {default: session} = await import("express-session");
    const {Passport} = (await import("passport")).default;
    const {default: Strategy} = await import("passport-openidconnect");
    const passport = new Passport();
    passport.use(
        new Strategy(
            {
                issuer,
                authorizationURL: `${issuer}/oauth2/authorize`,
                tokenURL: `${issuer}/oauth2/token`,
                userInfoURL: `${issuer}/oauth2/userinfo`,
                clientID: site.client_id,
                clientSecret: site.client_secret,
                callbackURL: `${site.url}/callback`,
                scope: "profile email",
                // It has no PKCE.
                nonce: true,
                skipUserProfile: false,
            },
            (_issuer, profile, done) => done(null, profile)
        )
    );
    const app = express();
    app.use(session({secret: randomUUID(), resave: false, saveUninitialized: false}));
    app.get("/", passport.authenticate("openidconnect", {session: false}));
    app.get("/callback", passport.authenticate("openidconnect", {session: false}), (request, response) => {
        const {id, displayName, emails} = request.user;
        response.json({sub: id, name: displayName, email: emails[0].value});
    });
    return app;
}

async function makeExpressOpenidConnect(site, issuer) {
    const {default: express} = await import("express");
    const {auth} = (await import("express-openid-connect")).default;
    const app = express();
    app.use(
        auth({
            issuerBaseURL: issuer,
            baseURL: site.url,
            clientID: site.client_id,
            clientSecret: site.client_secret,
            secret: randomUUID(),
            authorizationParams: {response_type: "code", scope: SCOPE},
            idpLogout: true,
        })
    );
    app.get("/", async (request, response) => response.json(await request.oidc.fetchUserInfo()));
    return app;
}

const SITES = {
    "openid-client": makeOpenidClient,
    oauth4webapi: makeOauth4webapi,
    "Auth.js": makeAuthJs,
    "passport-openidconnect": makePassport,
    "express-openid-connect": makeExpressOpenidConnect,
};

const {sites, issuer} = JSON.parse(await text(process.stdin));
for (const [name, site] of Object.entries(sites)) {
    const handle = await SITES[name](site, issuer);
    const server = createServer(async (request, response) => {
        try {
            await handle(request, response);
        } catch (error) {
            console.error(name, error);
            response.writeHead(500).end(String(error));
        }
    });
    await new Promise((resolve) => server.listen(Number(new URL(site.url).port), "127.0.0.1", resolve));
}
console.log("ready");
