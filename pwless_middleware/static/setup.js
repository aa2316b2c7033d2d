/* The set-up of a company's login: copy a value, and read a file into the field for its text.
   Without this file a value is selected by a tap, and a file's text is pasted. */

(() => {
  "use strict";

  for (const button of document.querySelectorAll("[data-copies]")) {
    if (!navigator.clipboard) break; // not on a secure address
    const said = button.parentElement.querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const value = document.getElementById(button.dataset.copies).textContent;
      const done = await navigator.clipboard.writeText(value).then(() => true, () => false);
      said.textContent = done ? button.dataset.done : button.dataset.failed;
    });
  }

  for (const file of document.querySelectorAll("input[type=file][data-fills]")) {
    file.closest("[data-js]").hidden = false;
    file.addEventListener("change", async () => {
      const chosen = file.files[0];
      // What is larger is refused by the server as well; a browser need not read it first.
      if (!chosen || chosen.size > Number(file.dataset.most)) return;
      document.getElementById(file.dataset.fills).value = await chosen.text();
      file.value = ""; // it is sent as text alone
    });
  }
})();
