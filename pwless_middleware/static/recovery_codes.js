/* Keep recovery codes: download, print, copy. The page can be read and printed without this file.

   A file is made from what the page shows, here in the browser. So the codes, which the server tells
   once and then knows as digests alone, are never sent anywhere again. */

(() => {
  "use strict";

  const one = (selector) => document.querySelector(selector);
  const list = one("[data-codes]");
  if (!list) return;
  const codes = () => [...list.querySelectorAll("code")].map((code) => code.textContent).join("\n");
  const text = () => `${list.dataset.codes}\n\n${codes()}\n\n${one("[data-made]").textContent}\n`;

  const download = () => {
    const url = URL.createObjectURL(new Blob([text()], { type: "text/plain;charset=utf-8" }));
    Object.assign(document.createElement("a"), { href: url, download: list.dataset.file }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000); // not before the browser has read it
  };

  const copy = async ({ dataset }) => {
    const told = one("[data-told]");
    try {
      await navigator.clipboard.writeText(codes());
      told.textContent = dataset.done;
    } catch {
      told.textContent = dataset.failed;
    }
  };

  const does = { download, copy, print: () => window.print() };
  for (const button of document.querySelectorAll("[data-does]")) {
    button.addEventListener("click", () => does[button.dataset.does](button));
  }
  one("[data-with-codes]").hidden = false;
})();
