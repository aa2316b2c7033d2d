/* Gives each snippet a button that copies it. */
(() => {
  "use strict";
  if (!navigator.clipboard) return; // not on a page without TLS, but for localhost
  for (const figure of document.querySelectorAll(".snippet")) {
    const button = document.createElement("button");
    button.className = "button quiet small";
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy " + figure.querySelector("figcaption").textContent);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(figure.querySelector("code").textContent + "\n");
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    figure.querySelector("figcaption").append(button);
  }
})();
