/* The guide's search field shows what it finds as one types; the list of parts says where one is. */
(() => {
  "use strict";
  const field = document.getElementById("guide-search");
  const list = document.getElementById("guide-found");
  const said = document.getElementById("guide-said");
  const hint = field.form.querySelector("kbd");
  let chosen = -1, timer = 0, asked = "";
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  hint.hidden = false;

  const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

  const close = () => {
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };

  close();

  const choose = (at) => {
    const items = list.children;
    chosen = (at + items.length + 1) % (items.length + 1);
    if (chosen === items.length) chosen = -1;
    for (const [place, item] of [...items].entries()) item.setAttribute("aria-selected", String(place === chosen));
    if (chosen < 0) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", items[chosen].id);
    items[chosen].scrollIntoView({ block: "nearest" });
  };

  const show = (found) => {
    list.replaceChildren(...found.map((result, at) => {
      const item = document.createElement("li");
      item.id = "guide-found-" + at;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.dataset.address = result.address;
      const name = document.createElement("strong");
      if (result.heading) name.append(make("span", result.title + " › "), result.heading);
      else name.append(result.title);
      const text = document.createElement("small");
      for (const [piece, isMark] of result.excerpt) text.append(isMark ? make("mark", piece) : piece);
      item.append(name, text);
      return item;
    }));
    close();
    list.hidden = found.length === 0;
    field.setAttribute("aria-expanded", String(found.length > 0));
    said.textContent = found.length === 0 ? "Nothing found" : found.length === 1 ? "1 result" : found.length + " results";
  };

  const search = async () => {
    const question = field.value.trim();
    if (question === asked) return;
    asked = question;
    if (!question) { said.textContent = ""; return close(); }
    const answer = await fetch("/guide/search.json?q=" + encodeURIComponent(question));
    if (answer.ok && question === asked && document.activeElement === field) show(await answer.json());
  };

  const open = (item) => {
    close();
    location.assign(item.dataset.address);
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 120);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) return;
      event.preventDefault();
      choose(event.key === "ArrowDown" ? chosen + 1 : chosen < 0 ? list.children.length - 1 : chosen - 1);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      open(list.children[chosen]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
  field.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) open(item);
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });

  // The page's own place in the contents is seen without scrolling them.
  const aside = document.querySelector(".aside");
  const here = aside.querySelector("[aria-current]");
  if (here) aside.scrollTop = here.offsetTop - aside.offsetTop - aside.clientHeight / 3;

  const parts = new Map();
  for (const link of document.querySelectorAll(".aside.parts a")) parts.set(link.hash.slice(1), link);
  const headings = [...document.querySelectorAll(".prose :is(h2, h3)[id]")].filter((one) => parts.has(one.id));
  let current = null;
  const follow = () => {
    const passed = headings.filter((one) => one.getBoundingClientRect().top < 120);
    const link = passed.length ? parts.get(passed.at(-1).id) : null;
    if (link === current) return;
    if (current) current.removeAttribute("aria-current");
    current = link;
    if (!link) return;
    link.setAttribute("aria-current", "true");
    const box = link.closest(".aside");
    const top = link.offsetTop - box.offsetTop;
    if (top < box.scrollTop || top > box.scrollTop + box.clientHeight - 48) box.scrollTop = top - box.clientHeight / 3;
  };
  if (headings.length) {
    addEventListener("scroll", follow, { passive: true });
    follow();
  }
})();
