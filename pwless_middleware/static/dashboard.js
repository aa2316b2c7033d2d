/* What makes the dashboard quicker to use. Without it everything works, but live parts.

   `/` leads to the search of the page, `g` and then a letter to another page (data-key). Moments are
   written in the reader's own zone. */
"use strict";

(() => {
  const language = document.documentElement.lang;
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });

  // Called for what comes later, too: rows of a live list.
  const showTimes = (within) => {
    for (const moment of within.querySelectorAll("time[data-local]")) {
      const at = new Date(moment.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      moment.textContent = day.format(at);
      moment.title = exact.format(at);
      moment.removeAttribute("data-local");
    }
  };
  showTimes(document);
  document.addEventListener("pwless:added", (event) => showTimes(event.target));

  // --- keyboard ------------------------------------------------------------------------------

  const isTyping = (element) =>
    element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  let goesSince = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "g") {
      goesSince = event.timeStamp;
    } else if (event.timeStamp - goesSince < 1500 && /^[a-z]$/.test(event.key)) {
      goesSince = 0;
      const link = document.querySelector(`.side a[data-key="${event.key}"]`);
      if (link) link.click();
    }
  });

  // --- small things --------------------------------------------------------------------------

  for (const select of document.querySelectorAll("select[data-submits]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    const text = button.parentElement.querySelector("[data-copied]");
    if (!text || !navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.dataset.done = "true";
    });
  }
  // A file that is read into the field above it, where it can still be looked at.
  for (const chooser of document.querySelectorAll("[data-opens]")) {
    const field = document.getElementById(chooser.dataset.opens);
    const refusal = chooser.parentElement.querySelector("[data-too-large]");
    chooser.hidden = false;
    chooser.addEventListener("change", async () => {
      const file = chooser.files[0];
      if (!file) return;
      refusal.hidden = file.size <= Number(chooser.dataset.most);
      if (refusal.hidden) field.value = await file.text();
    });
  }
  // --- the brand, as it is typed ----------------------------------------------------------

  const looks = document.querySelector("[data-look-colors]");
  if (looks) {
    const all = (name, change) => document.querySelectorAll(`[data-look-${name}]`).forEach(change);
    const typed = (name) => {
      const field = document.querySelector(`[data-look="${name}"]`);
      return field ? field.value.trim() : null;
    };
    const show = () => {
      const name = typed("name"), logo = typed("logo"), color = typed("color");
      if (name) {
        all("name", (one) => { one.textContent = name; });
        all("mark", (one) => { one.textContent = [...name][0].toLocaleUpperCase(language); });
      }
      if (logo !== null && (logo === "" || /^(\/(?![/\\])|data:image\/)/.test(logo))) {
        all("logo", (one) => { one.src = logo || "data:,"; one.hidden = !logo; });
        for (const part of ["name", "mark"]) all(part, (one) => { one.hidden = Boolean(logo); });
      }
      if (color !== null && /^(#([0-9a-f]{3}){1,2})?$/i.test(color)) {
        const address = `${looks.href.split("?")[0]}?color=${encodeURIComponent(color)}`;
        if (looks.href !== address) looks.href = address;
      }
    };
    let timer = 0;
    const soon = () => { clearTimeout(timer); timer = setTimeout(show, 150); };
    for (const field of document.querySelectorAll("[data-look]")) {
      field.addEventListener("input", soon);
    }
    for (const picker of document.querySelectorAll("[data-fills]")) {
      const field = document.getElementById(picker.dataset.fills);
      picker.hidden = false;
      picker.addEventListener("input", () => { field.value = picker.value; soon(); });
    }
    for (const chooser of document.querySelectorAll("[data-reads]")) {
      const field = document.getElementById(chooser.dataset.reads);
      const refusal = document.querySelector("[data-too-large]");
      chooser.hidden = false;
      chooser.addEventListener("change", () => {
        const reader = new FileReader();
        reader.addEventListener("load", () => {
          refusal.hidden = reader.result.length <= Number(chooser.dataset.most);
          if (refusal.hidden) { field.value = reader.result; soon(); }
        });
        if (chooser.files[0]) reader.readAsDataURL(chooser.files[0]);
      });
    }
  }

  // --- what happens now ----------------------------------------------------------------------

  // Rows come from our own page, as HTML in which everything is escaped. A page that nobody sees
  // does not listen, and goes on where it was.
  const tail = document.querySelector("[data-tail]");
  if (tail && window.EventSource) {
    const state = document.querySelector("[data-tail-state]");
    const pause = document.querySelector("[data-tail-pause]");
    const most = 200;
    let source = null;
    let isPaused = false;
    let isLost = false;
    const say = (text) => { if (state.textContent !== text) state.textContent = text; };
    const close = () => { if (source) source.close(); source = null; };
    const follow = () => {
      if (source || isPaused || isLost || document.hidden) return;
      source = new EventSource(`${tail.dataset.tail}&after=${tail.dataset.after}`);
      source.onopen = () => say(state.dataset.open);
      source.onmessage = (event) => {
        tail.dataset.after = event.lastEventId;
        tail.insertAdjacentHTML("afterbegin", event.data);
        while (tail.rows.length > most) tail.deleteRow(-1);
        tail.dispatchEvent(new Event("pwless:added", { bubbles: true }));
      };
      source.addEventListener("more", (event) => say(state.dataset.more.replace("#", event.data)));
      source.onerror = () => {
        if (!source || source.readyState !== EventSource.CLOSED) return;
        isLost = true;
        close();
        say(state.dataset.lost);
      };
    };
    pause.hidden = false;
    pause.addEventListener("click", () => {
      isPaused = !isPaused;
      pause.textContent = isPaused ? pause.dataset.off : pause.dataset.on;
      if (isPaused) { close(); say(state.dataset.paused); } else follow();
    });
    document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else follow(); });
    follow();
  }

  // What is typed into a template is shown as it would be sent, shortly after.
  for (const form of document.querySelectorAll("form[data-previewed]")) {
    const show = form.querySelector("[data-preview]");
    let waiting = 0;
    const showSoon = (wait) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => form.requestSubmit(show), wait);
    };
    for (const text of form.querySelectorAll("textarea")) {
      text.addEventListener("input", () => showSoon(600));
    }
    for (const choice of form.querySelectorAll("[data-previews]")) {
      choice.addEventListener("change", () => showSoon(0));
    }
    form.addEventListener("submit", () => clearTimeout(waiting));
    if ("typed" in form.dataset) showSoon(0);
  }
  // On a wide screen the menu stands beside the page; a browser that cannot show a closed one open
  // (`::details-content`) is helped here.
  const menu = document.querySelector("[data-menu]");
  const wide = window.matchMedia("(min-width: 60em)");
  if (menu) {
    // Above the page, where a window that is made narrow has it, an open one would hide the page.
    wide.addEventListener("change", () => { menu.open = wide.matches; });
    if (wide.matches) menu.open = true;
  }
})();
