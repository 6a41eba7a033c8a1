import { registry } from "@web/core/registry";

// The consent page has no scripts, so no tour can run on it. These tours run on another page and use the consent
// page in a second window, as a person with a mouse would.

let page;

async function waitFor(find, what) {
    for (let attempt = 0; attempt < 160; attempt++) {
        let found;
        try {
            found = page.document.readyState === "complete" && find();
        } catch {
            // The window is loading the next page.
        }
        if (found) {
            return found;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${what} did not come, but: ${page.location.href} ${page.document.body.innerText}`);
}

function check(condition, what) {
    if (!condition) {
        throw new Error(`${what}: ${page.document.body.innerText}`);
    }
}

function openRequest() {
    return {
        content: "come from the application",
        trigger: "body",
        run() {
            const query = new URLSearchParams({
                response_type: "code",
                client_id: "wiki-client",
                redirect_uri: `${window.location.origin}/web/static/img/favicon.ico`,
                scope: "read rpc",
                state: "state of the application",
                code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                code_challenge_method: "S256",
            });
            page = window.open(`/oauth2/authorize?${query}`);
        },
    };
}

function logIn(login) {
    return {
        content: `log in as ${login}`,
        trigger: "body",
        async run() {
            const form = await waitFor(
                () => page.document.querySelector("form.oe_login_form:not(.d-none)"),
                "The login page"
            );
            form.querySelector("input[name=login]").value = login;
            form.querySelector("input[name=password]").value = "a password of at least 8";
            form.querySelector("button[type=submit]").click();
        },
    };
}

function readConsent(name, login) {
    return {
        content: `see what ${name} is asked`,
        trigger: "body",
        async run() {
            await waitFor(() => page.document.querySelector("button[value=allow]"), "The consent page");
            const text = (selector) =>
                [...page.document.querySelectorAll(selector)].map((element) => element.textContent.trim());
            check(text("h1").join().includes("Wiki"), "The name of the application is missing");
            check(page.document.querySelector("img[src^='data:image']"), "The logo is missing");
            check(text("bdi").includes(name) && text("bdi").includes(login), "The user is missing");
            check(text("li").length === 2 && text("li").every((item) => item.length > 20), "A scope is missing");
            check(text("bdi").includes(window.location.host), "The destination is missing");
            check(!page.document.querySelector("script[src]"), "A script is on the page");
        },
    };
}

function press(selector) {
    return {
        content: `press ${selector}`,
        trigger: "body",
        run() {
            page.document.querySelector(selector).click();
        },
    };
}

function arrive(parameter) {
    return {
        content: "go back to the application",
        trigger: "body",
        async run() {
            await waitFor(() => page.location.pathname === "/web/static/img/favicon.ico", "The callback URI");
            const response = new URLSearchParams(page.location.search);
            for (const name of [parameter, "state", "iss"]) {
                if (!response.get(name)) {
                    throw new Error(`${name} is missing in ${response}`);
                }
            }
            page.close();
        },
    };
}

registry.category("web_tour.tours").add("orestapi_consent_allow", {
    url: "/web/login",
    steps: () => [
        openRequest(),
        logIn("mitchell"),
        readConsent("Mitchell", "mitchell"),
        press("button[value=allow]"),
        arrive("code"),
    ],
});

registry.category("web_tour.tours").add("orestapi_consent_deny", {
    url: "/odoo",
    steps: () => [
        openRequest(),
        readConsent("Mitchell", "mitchell"),
        press("button[value=deny]"),
        arrive("error"),
    ],
});

registry.category("web_tour.tours").add("orestapi_consent_not_you", {
    url: "/odoo",
    steps: () => [
        openRequest(),
        readConsent("Mitchell", "mitchell"),
        press("a[href^='/web/session/logout']"),
        logIn("ada"),
        readConsent("Ada", "ada"),
        press("button[value=allow]"),
        arrive("code"),
    ],
});
