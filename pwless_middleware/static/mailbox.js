/* The development mailbox: shows a new mail as it arrives, and copies codes. */

(() => {
  "use strict";

  const LOOK_MS = 2000;
  const newest = (page) => page.querySelector("[data-newest]")?.dataset.newest ?? "";

  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break; // not on a secure address
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
    });
  }

  const look = async () => {
    if (!document.hidden) {
      const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
      if (answer?.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (newest(page) !== newest(document)) location.reload();
      }
    }
    setTimeout(look, LOOK_MS);
  };
  setTimeout(look, LOOK_MS);
})();
