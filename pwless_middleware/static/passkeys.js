/* Passkeys, by what the browser has itself (WebAuthn Level 3 §5.1).

   Each `form[data-passkey]` holds one ceremony: its button asks the server for options, hands them to
   the browser, and posts what comes back as any form is posted, so that the server alone decides what
   follows. Whatever belongs to it stays hidden until this script has found that the browser can.

   Autofill: while the login page is shown, one request waits behind the address field (`mediation:
   "conditional"`). It is ended before a button begins another, since a page has one at a time, and
   begun anew with fresh options before the server's are over, but only while somebody looks. What
   the server answers begins no further request: after a failure there is none until the page is
   loaded again or somebody presses the button. */

(() => {
  "use strict";

  const LIFE = 300; // seconds, where the server says nothing else
  const MARGIN = 60; // that options have at least when somebody begins to answer them
  const LEAST = 30; // between two requests that nobody has pressed for

  const api = window.PublicKeyCredential;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const can = ["parseCreationOptionsFromJSON", "parseRequestOptionsFromJSON"].every(
    (name) => typeof api?.[name] === "function",
  );
  if (!can) {
    const onward = all("[data-onward]")[0];
    if (onward) location.replace(onward.dataset.onward);
    return;
  }

  // Keeps the browser's own list in step. Where it cannot, nothing is lost: the server decides.
  for (const { dataset } of all("[data-signals]")) {
    for (const [name, told] of Object.entries(JSON.parse(dataset.signals))) {
      if (name.startsWith("signal")) api[name]?.(told).catch(() => {});
    }
  }

  const forms = all("form[data-passkey]");
  const button = (form) => form.querySelector("button[type=button]");
  const creates = (form) => form.dataset.passkey === "create";
  for (const part of all("[data-with-passkeys], [data-scripted]:has([data-passkey])")) part.hidden = false;
  for (const part of all("[data-without-passkeys]")) part.hidden = true;

  /* Show one of the form's own texts: while it waits, for good news, for a problem, or none. */
  const say = (form, name = "") => {
    const isProblem = ["busy", "offline", "failed"].includes(name);
    form.querySelector("[data-problem]").textContent = isProblem ? form.dataset[name] : "";
    form.querySelector("[data-status]").textContent = !isProblem && name ? form.dataset[name] : "";
    if (name === "waiting") button(form).setAttribute("aria-disabled", "true");
    else button(form).removeAttribute("aria-disabled");
  };

  /* What went wrong on the way to the options, by the name of the text that tells of it. */
  class Refusal extends Error {}

  const ask = async (form, values, signal) => {
    const { options } = form.dataset;
    const sent = options
      ? { body: JSON.stringify(values), headers: { "content-type": "application/json" } }
      : { body: new URLSearchParams([...new FormData(form)].filter(([, value]) => value)) };
    const target = options || form.getAttribute("action");
    const request = { method: "POST", redirect: "manual", cache: "no-store", signal, ...sent };
    const answer = await fetch(target, request).catch((error) => {
      throw error.name === "AbortError" ? error : new Refusal("offline");
    });
    if (answer.ok) return answer.json();
    // Signed out, or to be confirmed once more: the page itself knows where that leads.
    const leads = answer.type === "opaqueredirect" || [401, 403].includes(answer.status);
    if (leads && form.dataset.again) throw new Refusal("again");
    throw new Refusal(answer.status === 429 ? "busy" : answer.status >= 500 ? "offline" : "failed");
  };

  /* The one request of this page: how to end it, and when it has ended. */
  let current = { end: () => {}, ended: Promise.resolve() };

  const request = async (form, values, mediation, told = () => {}) => {
    const controller = new AbortController();
    const { signal } = controller;
    const before = current;
    const work = async () => {
      before.end();
      await before.ended;
      const ceremony = await ask(form, values, signal);
      told(ceremony);
      const publicKey = creates(form)
        ? api.parseCreationOptionsFromJSON(ceremony.options)
        : api.parseRequestOptionsFromJSON(ceremony.options);
      const wish = { publicKey, signal, ...(mediation && { mediation }) };
      const credential = await (creates(form)
        ? navigator.credentials.create(wish)
        : navigator.credentials.get(wish));
      signal.throwIfAborted();
      form.elements.namedItem("ceremony_id").value = ceremony.ceremony_id;
      form.elements.namedItem("credential").value = JSON.stringify(credential);
      form.requestSubmit();
    };
    const done = work();
    current = { end: () => controller.abort(), ended: done.catch(() => {}) };
    return done;
  };

  // --- the button ---------------------------------------------------------------------------------

  /* Name the text that tells of an error. Whoever has closed the browser's window knows that. */
  const textOf = (error) => {
    if (error instanceof Refusal) return error.message;
    if (error.name === "InvalidStateError") return "known";
    if (["AbortError", "NotAllowedError"].includes(error.name)) return "";
    console.error(error);
    return "failed";
  };

  const press = async (form) => {
    const { dataset } = form;
    if ("pressed" in dataset) return;
    dataset.pressed = "";
    say(form, "waiting");
    try {
      await request(form, {}); // then the page goes; its button turns until it has
    } catch (error) {
      const text = textOf(error);
      if (text === "again") return location.assign(dataset.again);
      say(form, text);
      if (form === waits && renewAt < Infinity) queueMicrotask(() => autofill(form));
    } finally {
      delete dataset.pressed;
    }
  };
  for (const form of forms) button(form).addEventListener("click", () => press(form));

  // --- what waits behind the field, or is made without a question ---------------------------------

  let renewAt = Infinity; // milliseconds; when the options behind the field want to be fresh
  let isPlatform = false; // whether this device itself keeps passkeys

  const quietly = async (form, values, told) => {
    if (document.hidden || "pressed" in form.dataset) return;
    try {
      await request(form, values, "conditional", told);
    } catch (error) {
      if (error instanceof Refusal) renewAt = Infinity;
    }
  };

  const autofill = (form) =>
    quietly(form, { platform_authenticator: isPlatform }, ({ expires_in: life = LIFE }) => {
      const wait = 1000 * Math.max(LEAST, life - MARGIN);
      renewAt = Date.now() + wait;
      setTimeout(renew, wait);
    });

  // Not in the middle of an answer: while the browser's own window is open, the page has no focus.
  const renew = () => {
    if (Date.now() >= renewAt && !document.hidden && document.hasFocus()) autofill(waits);
  };

  const waits = forms.find((form) => "autofill" in form.dataset);
  const offer = forms.find((form) => "quietly" in form.dataset);
  const begin = async () => {
    if (waits) {
      const asked = [
        api.isUserVerifyingPlatformAuthenticatorAvailable(),
        api.isConditionalMediationAvailable?.() ?? false,
      ];
      const [platform, conditional] = await Promise.all(asked);
      isPlatform = platform;
      if (conditional) autofill(waits);
      else if (platform) ask(waits, { platform_authenticator: true }).catch(() => {});
    } else if (offer) {
      const capabilities = (await api.getClientCapabilities?.()) ?? {};
      if (capabilities.conditionalCreate) quietly(offer, { conditional: true });
    }
  };
  const start = () => {
    if (!document.hidden) return begin();
    document.addEventListener("visibilitychange", start, { once: true });
  };
  if (document.prerendering) document.addEventListener("prerenderingchange", start, { once: true });
  else start();

  window.addEventListener("focus", renew);
  document.addEventListener("visibilitychange", renew);
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return; // back again, from the browser's page cache
    current.end();
    for (const form of forms) {
      for (const name of ["ceremony_id", "credential"]) form.elements.namedItem(name).value = "";
      say(form);
    }
    if (renewAt < Infinity) autofill(waits);
  });
})();
