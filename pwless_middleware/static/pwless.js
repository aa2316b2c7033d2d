/* Every page works without this file; it only saves waiting and clicking.

   Waiting tab: a login that ends in one tab of a browser lets the others go on. Nobody asks the
   server in a loop whether somebody has signed in: that would let an attacker's tab wait for a
   victim's click. Instead a form that can end a login announces itself as its page goes away
   (`pagehide` comes after the answer has arrived and its cookies are set), and a waiting tab then
   looks once, and once more, whether this browser is signed in: GET {base}/sessions answers 200
   only then. If it is, the tab goes where the login was meant to lead (`data-continue`). */

(() => {
  "use strict";

  const base = document.documentElement.dataset.base;
  let channel = null;
  try {
    channel = new BroadcastChannel("pwless:" + base);
  } catch {} // Firefox refuses it where cookies are blocked
  const one = (selector) => document.querySelector(selector);
  for (const element of document.querySelectorAll("[data-js]")) element.hidden = false;

  // A link's token has no business in the address bar, the history or a screenshot once it is here.
  if (location.search.includes("link_token=")) history.replaceState(history.state, "", location.pathname);

  // What stands behind # never reaches a server. The browser keeps it over the redirect to the login,
  // and from here the form carries it to where the login leads.
  for (const login of location.hash ? document.querySelectorAll("form[data-home]") : []) {
    let next = login.elements.namedItem("next");
    if (!next) {
      next = Object.assign(document.createElement("input"), { type: "hidden", name: "next", value: login.dataset.home });
      login.append(next);
    }
    if (!next.value.includes("#") && next.value.length + location.hash.length <= 8192) next.value += location.hash;
  }
  for (const link of document.querySelectorAll("a[data-keep-hash]")) link.hash ||= location.hash;

  // An address that was typed is still there when the page comes in another language. Where the
  // browser lets nothing be kept, it is not.
  const kept = "pwless-typed";
  const typed = one("input[type=email]");
  try {
    if (typed) typed.value ||= sessionStorage.getItem(kept) ?? "";
    sessionStorage.removeItem(kept);
  } catch {}
  for (const form of document.querySelectorAll(".languages form")) {
    form.addEventListener("submit", () => {
      try {
        if (typed) sessionStorage.setItem(kept, typed.value);
      } catch {}
    });
  }

  // One submit per form, however often it is pressed. The button keeps its focus and its value,
  // which `disabled` would take away.
  const release = () => {
    for (const form of document.forms) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.submitter && event.submitter.formTarget) return; // shown in a frame, and the page stays
    if ("sent" in form.dataset) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) release(); // back again, from the browser's page cache
  });

  window.addEventListener("pagehide", () => {
    if (channel && one("form[data-announce][data-sent]")) channel.postMessage("done");
  });

  // The link's page, in the browser that asked.
  const confirmation = one("form[data-auto-submit]");
  if (confirmation) {
    // Sent before the page has loaded, the form replaces this page in the history, so that Back
    // does not come here. A page that is only being prerendered has not been opened by anybody.
    const arrived = performance.getEntriesByType("navigation")[0];
    const submit = () => confirmation.requestSubmit();
    if (document.prerendering) document.addEventListener("prerenderingchange", submit, { once: true });
    else if (!arrived || arrived.type !== "back_forward") submit();
  }

  // The waiting tab.
  const waiting = one("[data-continue]");
  if (waiting && channel) {
    const goOn = async (looks) => {
      const answer = await fetch(base + "/sessions", { redirect: "manual", cache: "no-store" }).catch(() => null);
      const target = new URL(waiting.dataset.continue, location.origin);
      if (answer && answer.ok && target.origin === location.origin) location.replace(target);
      else if (looks > 1) setTimeout(goOn, 1500, looks - 1);
    };
    channel.addEventListener("message", () => goOn(2));
  }

  // A code that is complete is sent, once; the server alone says whether it is right. What was
  // pasted with spaces, dashes or invisible characters is shown without them, one in each slot.
  for (const code of document.querySelectorAll("input[data-length]")) {
    code.addEventListener("input", (event) => {
      const bare = code.value.replace(/[\s\p{Cf}\p{Pd}]/gu, "");
      const removing = (event.inputType || "").startsWith("delete");
      if ([...bare].length === Number(code.dataset.length) && !removing && !("tried" in code.dataset)) {
        code.dataset.tried = "";
        code.value = bare;
        code.form.requestSubmit();
      }
    });
  }

  // Times that run down. The clock is read anew each time: timers sleep in hidden tabs. Only what is
  // shown at the end stands in a live region, so that no screen reader counts along.
  const { forms, of } = JSON.parse(document.documentElement.dataset.durations || '{"forms":[["#","#","#"]],"of":"0"}');
  const words = (left) => {
    const unit = left <= 90 ? 0 : left <= 5400 ? 1 : 2;
    const count = Math.ceil(left / [1, 60, 3600][unit]);
    return forms[of[count] ?? of.at(-1)][unit].replace("#", count);
  };
  const over = (name) => {
    const part = one(`template[data-replaces-main="${name}"]`);
    if (part) {
      const main = one("main");
      document.title = part.dataset.title;
      main.replaceChildren(part.content);
      main.querySelector("h1").focus();
      start(main);
      return;
    }
    for (const element of document.querySelectorAll(`[data-until="${name}"]`)) element.hidden = true;
    for (const element of document.querySelectorAll(`[data-after="${name}"]`)) element.hidden = false;
    for (const button of document.querySelectorAll(`[data-off-until="${name}"]`)) button.disabled = false;
  };
  const start = (part) => {
    for (const button of part.querySelectorAll("[data-off-until]")) button.disabled = true;
    for (const clock of part.querySelectorAll("[data-clock]")) {
      const end = Date.now() + clock.dataset.seconds * 1000;
      const tick = () => {
        const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
        if (!clock.isConnected) return;
        if (left === 0) return over(clock.dataset.clock);
        const text = words(left);
        if (clock.textContent !== text) clock.textContent = text; // minutes stand still: what is selected stays
        setTimeout(tick, 1000);
      };
      tick();
    }
  };
  start(document);
})();
